"""A planned movie's bytes: the same written and read, or a clear failure without a half file."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.media.copying import WAYS, Copier, Way
from app.media.movie import Movie, Source, plan
from app.media.movie_bytes import SourceChanged, Stopped, read, write
from app.media.runs import was_altered
from app.models import Gaps
from tests.media_factory import Shape
from tests.unit.media.fragments import Fragments

Make = Callable[[Shape], Fragments]


@pytest.fixture(scope="module")
def movie(fragments: Make) -> Movie:
    """With everything in it: a header, parts of files, silence."""
    one, two = fragments(Shape(frames=61)), fragments(Shape(audio=False, frames=61))
    runs = [one.run(100_000), two.run(session="two", after_seconds=8)]
    return plan(runs, gaps=Gaps.KEEP)


def with_copies(movie_sources: tuple[Source, ...], fragments: Fragments, folder: Path) -> Movie:
    """A movie whose fragments may be spoilt."""
    sources = []
    for source in movie_sources:
        path = folder / Path(source.path).name
        path.write_bytes(Path(source.path).read_bytes())
        modified = path.stat().st_mtime_ns
        sources.append(replace(source, path=str(path), modified_ns=modified))
    return plan([fragments.run(sources=sources)])


def test_written_and_read_bytes_are_the_same(movie: Movie, tmp_path: Path) -> None:
    """And as many as were planned."""
    path = tmp_path / "clip.mp4"
    write(movie, str(path))
    data = path.read_bytes()
    assert len(data) == movie.size_bytes
    assert b"".join(read(movie)) == data


def test_any_range_is_a_part_of_the_whole(movie: Movie) -> None:
    """Ranges of one byte, over joints, over the end."""
    data = b"".join(read(movie))

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(data)), st.integers(0, len(data) + 1000))
    def check(start: int, end: int) -> None:
        assert b"".join(read(movie, start, end)) == data[start:end]
        pieces = list(movie.extents_of(start, end))
        assert sum(piece.length for piece in pieces) == len(data[start:end])
        assert all(piece.length > 0 for piece in pieces)

    check()


def test_reads_in_small_blocks(movie: Movie) -> None:
    """Memory does not grow with the clip."""
    assert max(len(block) for block in read(movie)) <= 256 << 10


@pytest.mark.parametrize("other_file_system", ["/dev/shm"])
def test_copies_over_file_systems(movie: Movie, other_file_system: str) -> None:
    """From a disk to memory, where the kernel may refuse copy_file_range."""
    path = Path(other_file_system) / f"replay-buffer-test-{os.getpid()}.mp4"
    try:
        write(movie, str(path))
        assert path.read_bytes() == b"".join(read(movie))
    finally:
        path.unlink(missing_ok=True)


def refusing(code: int) -> Way:
    """A way of copying that a file system has no understanding for."""

    def way(_source: int, _destination: int, _offset: int, _count: int) -> int:
        if code:
            raise OSError(code, os.strerror(code))
        return 0

    return way


@pytest.mark.parametrize(
    "code", [0, errno.EIO, errno.EPERM, errno.EACCES, errno.ETXTBSY, errno.ENOTSUP, errno.EXDEV]
)
def test_copies_the_next_way_whatever_a_file_system_says(code: int, tmp_path: Path) -> None:
    """SMB, seccomp, overlays, FUSE: each has its own word, or none, for what it can't do."""
    (tmp_path / "source").write_bytes(bytes(range(256)))
    with (tmp_path / "source").open("rb") as source, (tmp_path / "copy").open("wb") as copied:
        copy = Copier([refusing(code), refusing(errno.EIO), WAYS[-1]])
        assert copy(source.fileno(), copied.fileno(), 16, 100) == 100
        assert copy(source.fileno(), copied.fileno(), 256, 100) == 0
    assert (tmp_path / "copy").read_bytes() == bytes(range(16, 116))


def test_what_no_way_can_copy_is_the_last_ones_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        Copier([refusing(errno.EIO), refusing(errno.ENOSPC)])(0, 1, 0, 1)


@pytest.mark.parametrize("kept_ns", [1, 100, 1_000, 1_000_000, 10_000_000, 10**9, 2 * 10**9])
def test_a_time_that_lost_its_last_digits_is_the_same(kept_ns: int) -> None:
    """As file systems, archives and copies keep it; any other time is an alteration."""
    written = 1_795_380_491_234_567_891
    kept = written - written % kept_ns
    assert not was_altered(written, kept)
    for another in (kept - 7 * kept_ns, kept + 7 * kept_ns, written + 5):
        assert was_altered(written, another)
    assert not was_altered(None, kept)


def test_copies_into_an_appended_file(movie: Movie, tmp_path: Path) -> None:
    """Neither copy_file_range nor sendfile writes to one: bytes go by hand."""
    path = tmp_path / "clip.mp4"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write(movie, descriptor)
    finally:
        os.close(descriptor)
    assert path.read_bytes() == b"".join(read(movie))


def test_copies_into_a_pipe(movie: Movie) -> None:
    """What can't be sought takes sendfile."""
    reader, writer = os.pipe()
    found = bytearray()

    def drain() -> None:
        while block := os.read(reader, 65_536):
            found.extend(block)

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        write(movie, writer)
    finally:
        os.close(writer)
        thread.join()
        os.close(reader)
    assert bytes(found) == b"".join(read(movie))


def test_tells_how_far_it_is(movie: Movie, tmp_path: Path) -> None:
    """Growing numbers that end with the size."""
    seen: list[int] = []
    write(movie, str(tmp_path / "clip.mp4"), on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == movie.size_bytes


def test_stops_when_asked_and_leaves_nothing(movie: Movie, tmp_path: Path) -> None:
    """A cancelled capture has no half file."""
    path = tmp_path / "clip.mp4"
    answers = iter([False, False, True])
    with pytest.raises(Stopped, match=f"of {movie.size_bytes} bytes"):
        write(movie, str(path), should_stop=lambda: next(answers))
    assert not path.exists()


def test_a_full_disk_is_an_os_error(movie: Movie) -> None:
    """Passed on as it is, with its number."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="No space left") as refused:
            write(movie, descriptor)
    finally:
        os.close(descriptor)
    assert refused.value.errno == errno.ENOSPC


def test_never_overwrites(movie: Movie, tmp_path: Path) -> None:
    """A file that exists is somebody's, and stays."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        write(movie, str(path))
    assert path.read_bytes() == b"mine"


def _delete(path: Path) -> None:
    path.unlink()


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_delete, "No such file"), (_truncate, "was indexed with"), (_alter, "was altered")],
)
def test_a_source_that_changed_is_named_before_anything_is_written(
    spoil: Callable[[Path], None], words: str, fragments: Make, tmp_path: Path
) -> None:
    """Deleted, shortened or rewritten between index and capture."""
    one = fragments(Shape())
    movie = with_copies(one.sources, one, tmp_path)
    spoilt = Path(movie.sources[2].path)
    spoil(spoilt)
    path = tmp_path / "clip.mp4"
    with pytest.raises(SourceChanged, match=words) as refused:
        write(movie, str(path))
    assert refused.value.path == str(spoilt)
    assert not path.exists()
    with pytest.raises(SourceChanged, match=words):
        list(read(movie))


def test_a_source_that_shrinks_while_it_is_copied_leaves_no_file(
    fragments: Make, tmp_path: Path
) -> None:
    """Cut after the check: the copy notices, the half file goes."""
    one = fragments(Shape())
    movie = with_copies(one.sources, one, tmp_path)
    path = tmp_path / "clip.mp4"

    def cut(written: int) -> None:
        os.truncate(movie.sources[-1].path, 1000)

    with pytest.raises(SourceChanged, match="bytes before its index says"):
        write(movie, str(path), on_progress=cut)
    assert not path.exists()
