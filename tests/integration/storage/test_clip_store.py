"""What every place for clips holds to, by one test for each promise: a folder, and a bucket."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from app.errors import ConfigurationError
from app.storage import clip_files
from app.storage.clip_places import opened_clips
from app.storage.clip_store import ClipStore, OpenedClip
from app.storage.confined import PathRefused
from tests.integration.conftest import MakeSettings

OURS = "0a1b2c3d"
CLIP = "replays/ann-0123456789/20261103T101500000-0a1b2c3d.mp4"
SMALL, LARGE = 1_000, 20 * 2**20 + 1
"""One request, and three parts."""
HOSTILE = [
    *("", "/etc/passwd", "../secret", "replays/../../secret", "a//b", "a\0b", "replays/é.mp4"),
    *(".instance", "clip.mp4"),
]
"""Paths of rows that somebody has altered: out of the place, or to what is no clip in it."""


@pytest.fixture(params=["media root", "folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, object]:
    """The settings that say where clips are kept."""
    if request.param == "bucket":
        found: dict[str, object] = request.getfixturevalue("in_bucket")
        return found
    return {"clips_url": f"file://{tmp_path}/elsewhere"} if request.param == "folder" else {}


@pytest_asyncio.fixture
async def clips(place: dict[str, object], make_settings: MakeSettings) -> ClipStore:
    """A place for clips that is empty."""
    settings = make_settings(**place)
    settings.media_root.mkdir(parents=True)
    return await opened_clips(settings, OURS)


def part_of(clips: ClipStore, content: bytes, storage_path: str = CLIP, attempt: int = 1) -> Path:
    """A part as an attempt leaves it."""
    part = clip_files.part_path(clips.parts_root, storage_path, attempt)
    part.write_bytes(content)
    clip_files.sync(part)
    return part


async def read(opened: OpenedClip, start: int = 0, end: int | None = None) -> bytes:
    stop = opened.size_bytes if end is None else end
    return b"".join([block async for block in opened.read(start, stop)])


async def listed(clips: ClipStore, folder: str = "replays") -> dict[str, int]:
    return {
        each.storage_path: each.size_bytes async for batch in clips.listed(folder) for each in batch
    }


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_what_is_published_is_there_whole(clips: ClipStore, size: int) -> None:
    content = os.urandom(size)
    part = part_of(clips, content)
    digest = hashlib.sha256(content).hexdigest()
    assert await clips.publish(CLIP, part) in (None, digest)
    assert not part.exists()
    opened = await clips.open(CLIP)
    assert opened.size_bytes == size
    assert await read(opened) == content
    assert await read(opened, 5, 10) == content[5:10]
    assert await read(opened, size - 7) == content[-7:]
    await opened.close()
    assert await clips.sha256(CLIP) == digest
    assert await clips.sizes([CLIP]) == {CLIP: size}
    assert await listed(clips) == {CLIP: size}
    assert (local := clips.local_path(CLIP)) is None or local.read_bytes() == content


async def test_publishing_again_changes_nothing(clips: ClipStore) -> None:
    """Whoever was killed after it is followed by somebody who does it again."""
    content = os.urandom(SMALL)
    part = part_of(clips, content)
    await clips.publish(CLIP, part)
    await clips.publish(CLIP, part)
    await clips.publish(CLIP, part_of(clips, content))
    assert await read(await clips.open(CLIP)) == content
    assert await listed(clips) == {CLIP: SMALL}


async def test_neither_part_nor_file_is_an_error(clips: ClipStore) -> None:
    part = part_of(clips, b"x")
    part.unlink()
    with pytest.raises(FileNotFoundError):
        await clips.publish(CLIP, part)
    with pytest.raises(FileNotFoundError):
        await clips.open(CLIP)
    with pytest.raises(FileNotFoundError):
        await clips.sha256(CLIP)
    assert await listed(clips) == {}


async def test_files_are_removed_and_those_that_are_not_there_too(clips: ClipStore) -> None:
    paths = [CLIP.replace("0a1b2c3d.mp4", f"{number:08x}.mp4") for number in range(30)]
    for path in paths[:25]:
        await clips.publish(path, part_of(clips, path.encode(), path))
    await clips.remove(paths[:1])
    await clips.remove(paths[1:])
    await clips.remove(paths)
    await clips.remove([])
    assert await listed(clips) == {}
    assert await clips.sizes(paths) == dict.fromkeys(paths)


async def test_a_path_that_is_none_leads_nowhere(clips: ClipStore) -> None:
    await clips.publish(CLIP, part_of(clips, b"clip"))
    for hostile in HOSTILE:
        part = part_of(clips, b"x", "replays/ann-0123456789/other.mp4")
        with pytest.raises(PathRefused):
            await clips.publish(hostile, part)
        for ask in (clips.open, clips.sha256):
            with pytest.raises(PathRefused):
                await ask(hostile)
        with pytest.raises(PathRefused):
            await clips.remove([hostile])
        with pytest.raises(PathRefused):
            clips.local_path(hostile)
        assert await clips.sizes([hostile, CLIP]) == {hostile: None, CLIP: 4}


async def test_parts_are_listed_and_what_lies_beside_the_folder_is_not(clips: ClipStore) -> None:
    part = part_of(clips, b"part", attempt=7)
    other = "replays-of-others/ann/x.mp4"
    await clips.publish(other, part_of(clips, b"other", other))
    await clips.publish(CLIP, part_of(clips, b"clip"))
    assert await listed(clips) == {CLIP: 4, f"{CLIP}.7.part": 4}
    part.unlink()
    assert await listed(clips, "replays-of-others") == {other: 5}
    assert await listed(clips, "nothing") == {}


async def test_it_belongs_to_one_installation(
    make_settings: MakeSettings, tmp_path: Path, in_bucket: dict[str, str]
) -> None:
    """Another one is refused: its cleaning would be done among the clips of this one."""
    for given in (in_bucket, {"clips_url": f"file://{tmp_path}/elsewhere"}):
        settings = make_settings(**given)
        for _ in range(2):
            await opened_clips(settings, OURS)
        with pytest.raises(ConfigurationError) as refused:
            await opened_clips(settings, "deadbeef")
        assert "is of installation '0a1b2c3d', and this one is 'deadbeef'" in str(refused.value)
        beside = make_settings(**given | {"clips_url": f"{given['clips_url']}-2"})
        await opened_clips(beside, "deadbeef")


async def test_a_url_is_given_by_a_bucket_only(clips: ClipStore) -> None:
    await clips.publish(CLIP, part_of(clips, b"clip"))
    url = await clips.url(CLIP, timedelta(seconds=60), "attachment")
    assert (url is None) == (clips.origin is None) == (clips.local_path(CLIP) is not None)
    assert url is None or url.startswith(f"{clips.origin}/")
    await clips.abort_uploads(CLIP)
    assert await listed(clips) == {CLIP: 4}
