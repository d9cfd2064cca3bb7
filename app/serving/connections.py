"""Who is connected to the HTTP server: how many in all, and how many from one address. Pure.

A connection that waits for its next request can be closed without a loss, so the oldest of these
makes room where all places are taken: whoever sits on idle connections keeps nobody out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol


class Connection(Protocol):
    """What the register must know of a connection."""

    def close_idle(self) -> bool:
        """Closes it if no request is under way on it; whether it did."""
        ...


class Connections:
    """The open connections, in the order in which they began to wait.

    `most`: in all; `most_per_address`: from one address, unless it is trusted to stand for many
    people, as a proxy does.
    """

    def __init__(self, most: int, most_per_address: int, is_trusted: Callable[[str], bool]) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self._is_trusted = is_trusted
        self._addresses: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def admit(self, connection: Connection, address: str) -> bool:
        """Takes a new connection in, idle until it says otherwise; False: it must be closed."""
        if self._counts[address] >= self.most_per_address and not self._is_trusted(address):
            return False
        if len(self._addresses) >= self.most and not self._make_room():
            return False
        self._addresses[connection] = address
        self._counts[address] += 1
        self._idle[connection] = None
        return True

    def busy(self, connection: Connection) -> None:
        """A request is under way on it."""
        self._idle.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """It waits for a request from now on."""
        if connection in self._addresses:
            self._idle.pop(connection, None)
            self._idle[connection] = None

    def remove(self, connection: Connection) -> None:
        """It is gone. Does nothing for one that is not known."""
        self._idle.pop(connection, None)
        address = self._addresses.pop(connection, None)
        if address is None:
            return
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def _make_room(self) -> bool:
        """Closes the connection that has waited longest; False if none waits."""
        while self._idle:
            oldest = next(iter(self._idle))
            closed = oldest.close_idle()
            if closed:
                self.remove(oldest)
                return True
            self.busy(oldest)
        return False
