"""Excerpts of clips that are elsewhere: their index, what is fetched, no more than is allowed."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clips import clip_source
from app.clips.clip_source import ClipSource
from app.media.picture_sources import NoPicture


class Remote:
    """A clip that is elsewhere, and counts what is read of it."""

    modified_at = datetime(2026, 11, 28, tzinfo=UTC)
    tag = ""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size_bytes = len(content)
        self.read_bytes = 0

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        self.read_bytes += end - start
        yield self.content[start:end]

    def until_answered(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def close(self) -> None:
        """Nothing is held."""


def box(kind: bytes, size_bytes: int) -> bytes:
    return struct.pack(">I4s", size_bytes, kind) + os.urandom(max(0, size_bytes - 8))


def source_of(tmp_path: Path, remote: Remote) -> ClipSource:
    path = tmp_path / "excerpt"
    with path.open("wb") as file:
        file.truncate(remote.size_bytes)
    return ClipSource(path, remote)


async def test_its_beginning_is_its_index_and_the_first_media(tmp_path: Path) -> None:
    index = box(b"ftyp", 32) + box(b"moov", 100_000)
    remote = Remote(index + box(b"mdat", 8 * 2**20))
    source = source_of(tmp_path, remote)
    await source.fetch_beginning()
    there = source.path.read_bytes()
    end = len(index) + clip_source.BEGINNING_BYTES
    assert there[:end] == remote.content[:end]
    assert there[end:] == bytes(remote.size_bytes - end)
    assert remote.read_bytes == end
    await source.fetch([(end + 10, end + 20), (remote.size_bytes - 5, remote.size_bytes + 5)])
    there = source.path.read_bytes()
    assert there[end + 10 : end + 20] == remote.content[end + 10 : end + 20]
    assert there[-5:] == remote.content[-5:]
    assert len(there) == remote.size_bytes


async def test_a_clip_that_is_shorter_than_that_is_read_once(tmp_path: Path) -> None:
    remote = Remote(box(b"ftyp", 32) + box(b"moov", 500) + box(b"mdat", 9000))
    source = source_of(tmp_path, remote)
    await source.fetch_beginning()
    assert source.path.read_bytes() == remote.content
    assert remote.read_bytes == remote.size_bytes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        box(b"ftyp", 32) + box(b"mdat", 9000),
        box(b"ftyp", 32) + struct.pack(">I4s", 2**32 - 1, b"moov") + bytes(5000),
        box(b"ftyp", 32) + struct.pack(">I4s", 7, b"free") + bytes(5000),
        os.urandom(5000),
    ],
)
async def test_what_does_not_begin_as_ours_do_has_no_picture(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(NoPicture):
        await source_of(tmp_path, Remote(content)).fetch_beginning()


async def test_more_than_is_allowed_is_not_read(tmp_path: Path) -> None:
    remote = Remote(b"")
    remote.size_bytes = 2 * clip_source.MOST_BYTES
    source = source_of(tmp_path, remote)
    with pytest.raises(NoPicture):
        await source.fetch_all()
    assert remote.read_bytes == 0


async def test_a_clip_that_is_here_is_read_where_it_is(tmp_path: Path) -> None:
    source = ClipSource(tmp_path / "clip.mp4")
    assert source.is_whole
    await source.fetch_beginning()
    await source.fetch([(0, 10)])
    await source.fetch_all()
    assert list(tmp_path.iterdir()) == []
