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
    """What may be sent of further requests before one is answered, and of its body after that."""
    framing_per_body_byte: int = 8
    """Chunks of one byte each cost five bytes around it; more than this per byte is not a body."""
    pieces_at_once: int = 32
    """Pieces of what came, cut at blank lines, that are parsed in one round of the event loop:
    whoever sends very many waits between some of them, and nobody else does."""
    head_seconds: float = 10.0
    """From the first byte awaited to the end of the headers."""
    body_seconds: float = 30.0
    """From there to the end of the body."""
    write_seconds: float = 60.0
    """How long data may wait to be sent while the peer takes none of it."""
