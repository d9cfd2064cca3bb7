"""How much the head of a request holds: told while it is parsed, and refused as soon as it is much.

Whoever sends one is nobody yet, and has no turn. What bytes cost is little; each header, parameter
and item of a list is an object, or several, wherever it is read.
"""

from __future__ import annotations

from app.serving.bounds import Bounds
from app.serving.refusals import HeadTooLarge, too_large


class RequestHead:
    """The head of one request, and what trails its body. Its methods raise HeadTooLarge."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._bytes = 0
        self._url_bytes = 0
        self._parameters = 1
        self._headers = 0
        self._items = 0

    def add_url(self, piece: bytes) -> None:
        """More of the URL has come."""
        self._url_bytes += len(piece)
        if self._url_bytes > self._bounds.url_bytes:
            raise HeadTooLarge(f"the URL is longer than {self._bounds.url_bytes} bytes")
        self._parameters += piece.count(b"&")
        if self._parameters > self._bounds.parameters:
            raise HeadTooLarge(f"the URL has more than {self._bounds.parameters} parameters")
        self._add(len(piece))

    def add_header(self, name: bytes, value: bytes) -> None:
        """One more header has come."""
        self._headers += 1
        if self._headers > self._bounds.headers:
            raise HeadTooLarge(f"there are more than {self._bounds.headers} headers")
        # cookies are of the whole site, and nothing here reads them
        if name.lower() != b"cookie":
            self._items += value.count(b",")
        if self._items > self._bounds.list_items:
            raise HeadTooLarge(f"the headers list more than {self._bounds.list_items} items")
        self._add(len(name) + len(value))

    def _add(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._bounds.head_bytes:
            raise too_large(self._bounds.head_bytes)
