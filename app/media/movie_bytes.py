"""The bytes of a planned movie: copied into a file, or read in ranges."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.media.copying import Copier
from app.media.layout import Extent
from app.media.movie import Movie
from app.media.runs import Source, was_altered

_COPY_BYTES = 8 << 20
_READ_BYTES = 256 << 10


class SourceChanged(Exception):
    """A fragment is gone, or is not what was indexed. `path` names it."""

    def __init__(self, path: str, detail: str) -> None:
        self.path = path
        super().__init__(f"{path}: {detail}")


class Stopped(Exception):
    """The caller's stop flag was set."""


def write(
    movie: Movie,
    destination: str | int,
    *,
    on_progress: Callable[[int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> None:
    """Write the movie to a path (made anew, removed again on failure) or an open descriptor.

    `on_progress(bytes_written)` and `should_stop()` are called after every 8 MiB at most. No
    fsync: the caller decides.

    Raises SourceChanged, before anything is written if a source is gone or was altered; Stopped;
    OSError (a full disk, FileExistsError).
    """
    for source in movie.sources:
        _check(source)
    if isinstance(destination, int):
        _write(movie, destination, on_progress, should_stop)
        return
    descriptor = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        _write(movie, descriptor, on_progress, should_stop)
    except BaseException:
        Path(destination).unlink()
        raise
    finally:
        os.close(descriptor)


def read(movie: Movie, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Bytes [start, end) of the movie in blocks of at most 256 KiB, without a file.

    Raises SourceChanged when a source is gone, was altered or ends early.
    """
    sources = {source.path: source for source in movie.sources}
    for extent in movie.extents_of(start, movie.size_bytes if end is None else end):
        if extent.path is None:
            for offset in range(0, extent.length, _READ_BYTES):
                yield extent.data[offset : offset + _READ_BYTES]
            continue
        _check(sources[extent.path])
        with _opened(extent.path) as descriptor:
            done = 0
            while done < extent.length:
                size = min(_READ_BYTES, extent.length - done)
                block = os.pread(descriptor, size, extent.offset + done)
                done += len(block)
                if not block:
                    raise _ended(extent, done)
                yield block


def _write(
    movie: Movie,
    descriptor: int,
    on_progress: Callable[[int], None] | None,
    should_stop: Callable[[], bool] | None,
) -> None:
    written = 0
    for size in _copied(movie, descriptor):
        written += size
        if on_progress is not None:
            on_progress(written)
        if should_stop is not None and should_stop():
            raise Stopped(f"after {written} of {movie.size_bytes} bytes")


def _copied(movie: Movie, descriptor: int) -> Iterator[int]:
    """Append the movie to `descriptor` block by block; yields each block's size."""
    copy = Copier()
    for extent in movie.extents:
        done = 0
        if extent.path is None:
            while done < extent.length:
                size = os.write(descriptor, extent.data[done : done + _COPY_BYTES])
                done += size
                yield size
            continue
        with _opened(extent.path) as source:
            while done < extent.length:
                wanted = min(_COPY_BYTES, extent.length - done)
                size = copy(source, descriptor, extent.offset + done, wanted)
                done += size
                if not size:
                    raise _ended(extent, done)
                yield size


def _check(source: Source) -> None:
    try:
        found = Path(source.path).stat()
    except OSError as error:
        raise SourceChanged(source.path, error.strerror or str(error)) from error
    if found.st_size != source.size_bytes:
        raise SourceChanged(
            source.path, f"has {found.st_size} bytes, was indexed with {source.size_bytes}"
        )
    if was_altered(source.modified_ns, found.st_mtime_ns):
        raise SourceChanged(source.path, "was altered after it was indexed")


@contextmanager
def _opened(path: str) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceChanged(path, error.strerror or str(error)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _ended(extent: Extent, done: int) -> SourceChanged:
    return SourceChanged(
        extent.path or "", f"ends {extent.length - done} bytes before its index says"
    )
