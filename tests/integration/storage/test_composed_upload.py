"""Clips put together in a bucket, of a part of ours and ranges of another clip there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from app.errors import StoreAway
from app.settings import Settings
from app.storage import composition
from app.storage.clip_bucket import ClipBucket
from app.storage.clip_places import clip_bucket
from app.storage.composed_upload import PIECE_BYTES
from app.storage.composition import CopiedRange
from tests.integration.conftest import MakeSettings
from tests.integration.storage.test_clip_store import CLIP, OURS, listed, part_of, read
from tests.object_front import ObjectFront
from tests.waiting import wait_for

SOURCE = CLIP.replace("0a1b2c3d.mp4", "ffffffff.mp4")
MIB = 2**20
WHOLE = os.urandom(7 * MIB)
HEAD, TAIL = b"head" * MIB, b"tail"
RANGES = [CopiedRange(len(HEAD), len(HEAD) + 6 * MIB, MIB - 1)]
"""4 MiB of ours, 6 MiB of the source, 4 bytes of ours: the second piece is copied, of three."""
MADE = HEAD + WHOLE[MIB - 1 : 7 * MIB - 1] + TAIL
COPIES = "x-amz-copy-source"
"""In the first line of each request that copies: its signature says which headers it has."""


@pytest.fixture
def bucket(
    make_settings: MakeSettings, in_bucket: dict[str, str], front: ObjectFront
) -> ClipBucket:
    """A bucket behind the front."""
    settings: Settings = make_settings(**in_bucket | {"s3_endpoint": front.endpoint})
    settings.media_root.mkdir(parents=True)
    assert settings.clips_place is not None
    return clip_bucket(settings, settings.clips_place, OURS)


async def asked(bucket: ClipBucket) -> Path:
    """The list of a part that has what the source is not to give, as an attempt leaves both."""
    await bucket.publish(SOURCE, part_of(bucket, WHOLE, SOURCE))
    opened = await bucket.open(SOURCE)
    composed = bucket.composed(SOURCE, opened.tag, RANGES, len(MADE))
    assert composed is not None
    part = part_of(bucket, bytes(len(MADE)))
    with part.open("r+b") as file:
        for start, end in composed.sent():
            file.seek(start)
            file.write(MADE[start:end])
    return composition.write(composed, part)


async def uploads(bucket: ClipBucket) -> list[str]:
    assert bucket.s3 is not None
    return await bucket.s3.uploads(f"replay/clips/{CLIP}")


async def test_what_is_copied_does_not_come_here(bucket: ClipBucket, front: ObjectFront) -> None:
    listing = await asked(bucket)
    front.sent_bytes = front.answered_bytes = 0
    assert await bucket.publish(CLIP, listing) is None
    assert front.count(COPIES) == 1
    assert len(MADE) - PIECE_BYTES <= front.sent_bytes < len(MADE) - PIECE_BYTES + 4096
    assert front.answered_bytes < 16_384
    assert await read(await bucket.open(CLIP)) == MADE
    assert await listed(bucket) == {SOURCE: len(WHOLE), CLIP: len(MADE)}
    assert await uploads(bucket) == []
    assert await bucket.publish(CLIP, listing) is None, "somebody was killed after it was put"


@pytest.mark.heavy
@pytest.mark.parametrize("told", ["501 Not Implemented", "200 OK"])
async def test_a_store_that_does_not_copy_is_sent_all_of_it(
    bucket: ClipBucket, front: ObjectFront, told: str
) -> None:
    """Also one that heeds no header of a copy, and takes it for an upload of nothing."""
    listing = await asked(bucket)
    front.tell(COPIES, [f'HTTP/1.1 {told}\r\nETag: "e"\r\nContent-Length: 0\r\n\r\n'.encode()])
    assert await bucket.publish(CLIP, listing) == await bucket.sha256(CLIP)
    assert await read(await bucket.open(CLIP)) == MADE
    assert await listed(bucket) == {SOURCE: len(WHOLE), CLIP: len(MADE)}
    assert await uploads(bucket) == []


WRONG_SIZE = (
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "e"\r\n'
    "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: close\r\n\r\n"
)
INVALID_PART = (
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
    "<Error><Code>InvalidPart</Code> </Error>"
)


@pytest.mark.parametrize(
    ("lines", "told"), [("^POST .*uploadId=", INVALID_PART), ("^HEAD .*0a1b2c3d", WRONG_SIZE)]
)
async def test_a_store_that_makes_no_whole_object_of_copies_is_sent_all_of_it(
    bucket: ClipBucket, front: ObjectFront, lines: str, told: str
) -> None:
    """It refuses to, or the object has another size; of what is put whole it does neither."""
    listing = await asked(bucket)
    front.tell(lines, [told.encode()])
    front.before = lambda: front.heal() if front.count(lines) > 1 else None
    assert await bucket.publish(CLIP, listing) == await bucket.sha256(CLIP)
    assert front.count(COPIES) == 1
    assert await read(await bucket.open(CLIP)) == MADE
    assert await listed(bucket) == {SOURCE: len(WHOLE), CLIP: len(MADE)}
    assert await uploads(bucket) == []


async def test_an_object_of_another_size_is_not_taken_for_one_that_was_put(
    bucket: ClipBucket,
) -> None:
    """Somebody may have been killed before they looked, and then the source have gone."""
    listing = await asked(bucket)
    await bucket.publish(CLIP, part_of(bucket, b"short", attempt=2))
    await bucket.remove([SOURCE])
    with pytest.raises(FileNotFoundError):
        await bucket.publish(CLIP, listing)


async def test_one_piece_is_sent_at_a_time(bucket: ClipBucket, front: ObjectFront) -> None:
    """Each has as long as a slow line takes for it alone; what is copied waits for none."""
    listing = await asked(bucket)
    front.hold("partNumber=1")
    publishing = asyncio.create_task(bucket.publish(CLIP, listing))
    await wait_for(lambda: front.count("partNumber=1") and front.count(COPIES))
    assert front.count("partNumber=3") == 0
    front.heal()
    await publishing
    assert await read(await bucket.open(CLIP)) == MADE


@pytest.mark.parametrize(
    "told", ["200", *(pytest.param(each, marks=pytest.mark.heavy) for each in ("503", "cut"))]
)
async def test_an_upload_that_fails_is_aborted_and_done_again(
    bucket: ClipBucket, front: ObjectFront, told: str
) -> None:
    """Also where the store says it with 200, as S3 does of what took long."""
    listing = await asked(bucket)
    body = b"<Error><Code>InternalError</Code></Error>"
    answer = f"HTTP/1.1 {told} A\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    front.tell(COPIES, [] if told == "cut" else [answer.encode() + body])
    with pytest.raises(StoreAway):
        await bucket.publish(CLIP, listing)
    assert await uploads(bucket) == []
    assert CLIP not in await listed(bucket)
    front.heal()
    await bucket.publish(CLIP, listing)
    assert await read(await bucket.open(CLIP)) == MADE


@pytest.mark.heavy
async def test_an_upload_that_was_broken_off_is_ended_by_the_next_attempt(
    bucket: ClipBucket, front: ObjectFront
) -> None:
    listing = await asked(bucket)
    front.hold(COPIES)
    dying = asyncio.create_task(bucket.publish(CLIP, listing))
    await wait_for(lambda: front.count(COPIES))
    dying.cancel()
    await asyncio.wait({dying})
    front.heal()
    assert len(await uploads(bucket)) == 1
    await bucket.publish(CLIP, listing)
    assert await uploads(bucket) == []
    assert await read(await bucket.open(CLIP)) == MADE


@pytest.mark.heavy
@pytest.mark.parametrize("becomes", ["gone", "another"])
async def test_of_a_source_that_is_not_the_same_nothing_is_made(
    bucket: ClipBucket, becomes: str
) -> None:
    listing = await asked(bucket)
    if becomes == "gone":
        await bucket.remove([SOURCE])
    else:
        await bucket.publish(SOURCE, part_of(bucket, os.urandom(len(WHOLE)), SOURCE))
    with pytest.raises(FileNotFoundError):
        await bucket.publish(CLIP, listing)
    assert CLIP not in await listed(bucket)
    assert await uploads(bucket) == []


async def test_nothing_is_copied_of_less_than_a_piece(bucket: ClipBucket) -> None:
    small = [CopiedRange(10, PIECE_BYTES, 0), CopiedRange(PIECE_BYTES, 2 * PIECE_BYTES - 1, 9)]
    assert bucket.composed(SOURCE, "", small, 3 * PIECE_BYTES) is None
