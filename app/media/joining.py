"""The bytes of a planned movie: copied into a file, or read in ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.media.movie import Movie


class SourceChanged(Exception):
    """A fragment is gone, or is not what was indexed. `path` names it."""

    def __init__(self, path: str, detail: str) -> None:
        self.path = path
        super().__init__(f"{path}: {detail}")


class Stopped(Exception):
    """The caller's stop flag was set."""


@dataclass(frozen=True, slots=True)
class Written:
    """`size_bytes` as planned; `sha256` in hex when it was asked for."""

    size_bytes: int
    sha256: str | None


def write(
    movie: Movie,
    destination: str | int,
    *,
    on_progress: Callable[[int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checksum: bool = False,
) -> Written:
    """Write the movie to a path (made anew, removed again on failure) or an open descriptor.

    `on_progress(bytes_written)` and `should_stop()` are called after every few MiB. No fsync: the
    caller decides. Raises SourceChanged before anything is written if a source's size differs,
    Stopped, and OSError (a full disk).
    """
    raise NotImplementedError


def read(movie: Movie, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Bytes [start, end) of the movie in blocks of at most 256 KiB, without a file.

    Raises SourceChanged when a source is gone or has another size.
    """
    raise NotImplementedError
