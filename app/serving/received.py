"""What was received on a connection, cut where requests end: they are read one by one. Pure.

A parser that is given all of it reads ahead: thousands of requests at once, each of which then has
to be held.
"""

from __future__ import annotations

from collections.abc import Sequence

_BLANK = b"\r\n\r\n"
"""Ends a head, and a body in chunks."""


class Received:
    """Bytes that were received and are not read yet.

    `body_left`: so many are to come of a body whose length was told; None: of anything else.
    """

    def __init__(self) -> None:
        self.body_left: int | None = None
        self._data = b""
        self._at = 0
        self._before = b""
        """The last bytes that were taken: a blank line may have begun in them."""

    def __len__(self) -> int:
        return len(self._data) - self._at

    def add(self, data: bytes) -> None:
        """More has come."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def clear(self) -> None:
        """None of it will be read."""
        self._data, self._at = b"", 0

    def take(self) -> bytes:
        """The next piece, which holds the end of one request at most."""
        end = self._end() if self.body_left is None else self._at + self.body_left
        piece = self._data[self._at : end]
        if self.body_left is not None:
            self.body_left -= len(piece)
        self._at += len(piece)
        self._before = (self._before + piece[-len(_BLANK) :])[1 - len(_BLANK) :]
        return piece

    def _end(self) -> int:
        """Where the first blank line ends, or else what there is."""
        for begun in range(len(_BLANK) - 1, 0, -1):
            rest = _BLANK[begun:]
            if self._before.endswith(_BLANK[:begun]) and self._data.startswith(rest, self._at):
                return self._at + len(rest)
        found = self._data.find(_BLANK, self._at)
        return len(self._data) if found < 0 else found + len(_BLANK)


def length_of(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """The length of a request's body, if it was told: llhttp takes none that is not a number."""
    return next((int(value) for name, value in headers if name == b"content-length"), None)
