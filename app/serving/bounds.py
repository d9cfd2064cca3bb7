"""The bounds of one connection: sizes and times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one connection may take."""

    head_bytes: int = 32 * 1024
    """Request line and headers together."""
    url_bytes: int = 8 * 1024
    """Path and query."""
    parameters: int = 100
    """In the query."""
    headers: int = 100
    list_items: int = 200
    """In all headers together, behind commas. Browsers send some 30, with 30 headers."""
    ahead_bytes: int = 64 * 1024
    """What may be sent of further requests before one is answered."""
    head_seconds: float = 10.0
    """From the first byte awaited to the end of the headers."""
    body_seconds: float = 30.0
    """From there to the end of the body."""
    write_seconds: float = 60.0
    """How long data may wait to be sent while the peer takes none of it."""
