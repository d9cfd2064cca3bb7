"""What an Idempotency-Key is compared by: a hash of all that was asked for under it. Pure.

It stands in the row that the key names. Where it is empty, the row is of a release that kept none.
"""

from __future__ import annotations

import hashlib

from pydantic import BaseModel

from app.errors import Conflict


def hash_of(request: BaseModel, *about: str) -> str:
    """Equal for requests that ask for the same. `about`: what else they tell than their body.

    Rows of the release before have it, too: names of members are those of before the version, and
    a member that is new since is left out where it says what went without it (`exclude_if`).
    """
    return hashlib.sha256(
        " ".join((*about, request.model_dump_json(by_alias=True))).encode()
    ).hexdigest()


def check(known: str, asked: str, key: str | None) -> None:
    """Raises Conflict if what was asked for under the key before had another hash."""
    if known and known != asked:
        raise another(key)


def another(key: str | None) -> Conflict:
    """The error of a key under which something else was asked for before."""
    return Conflict(f"the Idempotency-Key {key!r} was used for another request before")
