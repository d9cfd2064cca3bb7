"""Who is connected to the HTTP server: how many in all, and how many from one address. Pure.

A connection that waits for its next request, or for the rest of one, can be closed without a loss,
so the one that has waited longest makes room where all places are taken: whoever sits on idle
connections keeps nobody out. Then those make room whose peers have not taken for longest what they
asked for. An address that has its share makes room among its own; what one address is, says
`app.work.parties`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import chain
from typing import Protocol

from app.work.parties import party

RESERVED_FRACTION = 0.1
RESERVED_LEAST = 8
"""This fraction of all places, and at least so many, are for others than one trusted address."""


class Connection(Protocol):
    """What the register must know of a connection."""

    def give_way(self) -> bool:
        """Closes it, unless an answer is on its way to a peer that takes it; whether it did."""
        ...


class Connections:
    """The open connections, in the order in which they began to wait.

    `most`: in all; `most_per_address`: from one address. One that is trusted to stand for many
    people, as a proxy does, gets all places but a reserve: other programs may call from it, too,
    as from 127.0.0.1, and none of these is to keep all other addresses out.
    """

    def __init__(self, most: int, most_per_address: int, is_trusted: Callable[[str], bool]) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self._is_trusted = is_trusted
        self._peers: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        self._idle: dict[Connection, None] = {}
        self._stuck: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._peers)

    def admit(self, connection: Connection, address: str) -> bool:
        """Takes a new connection in, idle until it says otherwise; False: it must be closed."""
        trusted = self._is_trusted(address)
        share = self._most_of_trusted() if trusted else self.most_per_address
        peer = address if trusted else party(address)
        if self._counts[peer] >= share and not self._make_room(peer):
            return False
        if len(self._peers) >= self.most and not self._make_room():
            return False
        self._peers[connection] = peer
        self._counts[peer] += 1
        self._idle[connection] = None
        return True

    def busy(self, connection: Connection) -> None:
        """A request is under way on it, and its peer takes the answer."""
        self._idle.pop(connection, None)
        self._stuck.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """It waits for a request, or for the rest of one, from now on."""
        if connection in self._peers:
            self.busy(connection)
            self._idle[connection] = None

    def stuck(self, connection: Connection) -> None:
        """Its peer does not take what it was sent, from now on."""
        if connection in self._peers:
            self.busy(connection)
            self._stuck[connection] = None

    def remove(self, connection: Connection) -> None:
        """It is gone. Does nothing for one that is not known."""
        self.busy(connection)
        peer = self._peers.pop(connection, None)
        if peer is None:
            return
        self._counts[peer] -= 1
        if not self._counts[peer]:
            del self._counts[peer]

    def _most_of_trusted(self) -> int:
        return self.most - max(RESERVED_LEAST, int(self.most * RESERVED_FRACTION))

    def _make_room(self, peer: str | None = None) -> bool:
        """Closes the connection that has waited longest, of one peer if given; False if none."""
        while True:
            waiting = chain(self._idle, self._stuck)
            oldest = next((one for one in waiting if peer in (None, self._peers[one])), None)
            if oldest is None:
                return False
            if oldest.give_way():
                self.remove(oldest)
                return True
            self.busy(oldest)
