"""Zips of clips: names that any disk takes, a size that is known before."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

import pytest

from app.clips import clip_archive
from app.clips.clip_archive import NAME_BYTES, ClipArchive, member_names
from app.errors import Invalid
from app.models import FileRow
from app.models.schema import File
from app.store import row_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Opened:
    """A file in memory, read by some bytes at a time. `closed`: how many were closed."""

    modified_at = NOW
    tag = ""
    closed = 0

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        for begin in range(start, end, 1000):
            yield self.content[begin : min(end, begin + 1000)]

    def until_answered(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def close(self) -> None:
        Opened.closed += 1


def file(name: str, size_bytes: int) -> FileRow:
    made = File(
        id=name, filename=name, size_bytes=size_bytes, uploaded_by="ann", storage_path="",
        resource_id="clip", created_at=NOW,
    )  # fmt: skip
    return row_of(made)


async def test_an_archive_holds_its_files_and_is_as_large_as_it_said() -> None:
    contents = [b"one" * 5000, b"two", b"\0" * 70_000]
    files = [file(f"é {n} 🎬.mp4", len(content)) for n, content in enumerate(contents)]
    archive = ClipArchive(files)
    size_bytes, closed = archive.size_bytes, Opened.closed

    async def opened(place: int) -> Opened:
        return Opened(contents[place])

    blocks = [block async for block in archive.read(opened)]
    assert max(map(len, blocks)) <= 1000, "no more is held than what was read last"
    whole = b"".join(blocks)
    assert len(whole) == size_bytes
    with zipfile.ZipFile(io.BytesIO(whole)) as found:
        assert found.testzip() is None
        assert found.namelist() == [each["filename"] for each in files]
        assert [found.read(name) for name in found.namelist()] == contents
        assert {each.compress_type for each in found.infolist()} == {zipfile.ZIP_STORED}
    assert Opened.closed == closed + 3


async def test_an_archive_breaks_off_where_a_file_is_another_than_its_row_says() -> None:
    archive = ClipArchive([file("a.mp4", 4)])

    async def opened(place: int) -> Opened:
        return Opened(b"12345")

    with pytest.raises(EOFError, match="5 bytes, not 4"):
        _ = [block async for block in archive.read(opened)]


def test_an_archive_of_too_many_bytes_is_refused() -> None:
    half = clip_archive.MOST_BYTES // 2
    assert ClipArchive([file("a.mp4", half), file("b.mp4", half)]).size_bytes > 2 * half
    with pytest.raises(Invalid, match="fewer of them"):
        ClipArchive([file("a.mp4", half), file("b.mp4", half + 1)])


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a.mp4", "a.mp4", "A.mp4"], ["a.mp4", "a (2).mp4", "A (3).mp4"]),
        (["é.mp4", "é.mp4"], ["é.mp4", "é (2).mp4"]),
        (["a.mp4", "a (2).mp4", "a.mp4"], ["a.mp4", "a (2).mp4", "a (3).mp4"]),
        (["../b\\c.mp4"], ["..-b-c.mp4"]),
    ],
)
def test_no_two_names_are_one_on_any_disk(given: list[str], names: list[str]) -> None:
    assert member_names(given) == names


def test_names_fit_by_their_bytes() -> None:
    names = member_names(["🎬" * 80 + ".mp4"] * 12)
    assert len(set(names)) == 12
    assert all(len(name.encode()) <= NAME_BYTES and name.endswith(".mp4") for name in names)
