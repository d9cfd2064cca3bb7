"""Makes our user in the folder of a SecantusDB that does not run: nobody can ask it meanwhile.

A program: it works on its working directory, and reads the user's name and the password from its
standard input, a line each. Any other user goes.
"""

from __future__ import annotations

import sys

from secantus.auth import SCRAM_SHA_256, derive_credentials
from secantus.storage import Storage

_ROLE = "root"


def make_user(name: str, password: str) -> None:
    """Done again it changes nothing but the password."""
    storage = Storage(".", sync_on_commit=True)
    try:
        for user in storage.list_users(None, limit=1000):
            storage.drop_user(user["db"], user["user"])
        credentials = derive_credentials(password, mechanism=SCRAM_SHA_256, username=name)
        record = {
            "_id": f"admin.{name}",
            "user": name,
            "db": "admin",
            "credentials": credentials.to_doc(),
            "roles": [{"role": _ROLE, "db": "admin"}],
            "mechanisms": [SCRAM_SHA_256],
        }
        storage.add_user("admin", name, record, replace=True)
    finally:
        storage.close()


if __name__ == "__main__":
    make_user(*sys.stdin.read().splitlines())
