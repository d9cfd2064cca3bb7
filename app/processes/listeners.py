"""Whose program listens on a TCP port of this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"


def owners_of(port: int) -> set[int]:
    """The users whose programs listen on a port, at any address; empty where nobody tells."""
    return owners_in((table.read_text() for table in _TABLES if table.exists()), port)


def owners_in(tables: Iterable[str], port: int) -> set[int]:
    """The same, of tables as proc(5) has them."""
    found = set()
    for line in (line for table in tables for line in table.splitlines()[1:]):
        _, local, _, state, _, _, _, user, *_ = line.split()
        if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
            found.add(int(user))
    return found
