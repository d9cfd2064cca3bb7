"""Clips in a bucket whose store does harm: it answers more, longer and elsewhere than it is asked.

What it says is read within bounds, and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest
import pytest_asyncio

from app.errors import StoreAway
from app.settings import Settings, load
from app.storage import bucket_clients
from app.storage.clip_bucket import ClipBucket
from tests.integration.storage.test_clip_store import CLIP, OURS, part_of
from tests.object_front import ObjectFront

MIB = 2**20
SOCKETS_BYTES = 32 * MIB
"""More than what sockets hold of an answer that nobody reads on."""
KEY = f"replay/clips/{CLIP}"
UPLOADS = r"^GET .*[?&]uploads="
DELETED = b"<DeleteResult><Deleted><Key>replay/clips/.probe</Key></Deleted></DeleteResult>"
OF_OBJECT = 'Last-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\nETag: "e"\r\n'


@pytest_asyncio.fixture
async def store() -> AsyncIterator[ObjectFront]:
    """A store that answers what a test says."""
    async with ObjectFront("http://127.0.0.1:9").served() as served:
        yield served


@pytest.fixture
def settings(store: ObjectFront, tmp_path: Path) -> Settings:
    return load(
        _env_file=None,
        livekit_api_key="key",
        livekit_api_secret="s" * 32,
        file_upload_dest=tmp_path,
        clips_url="s3://bucket/replay/clips",
        s3_endpoint=store.endpoint,
        aws_access_key_id="us",
        aws_secret_access_key="s" * 32,
    )


@pytest.fixture
def bucket(settings: Settings) -> ClipBucket:
    place = settings.clips_place
    assert place is not None
    client, s3 = bucket_clients.of(settings, place, request=timedelta(seconds=20))
    return ClipBucket(client, place, settings.media_root, OURS, s3=s3)


def answer(
    body: bytes = b"", *, status: str = "200 OK", headers: str = "", length: int | None = None
) -> bytes:
    """A whole answer, or how one begins that has so many bytes."""
    said = f"Content-Length: {len(body) if length is None else length}\r\n"
    return f"HTTP/1.1 {status}\r\n{said}{headers}Connection: close\r\n\r\n".encode() + body


def endless(head: bytes, block: bytes = b"x" * 65_536) -> Iterator[bytes]:
    return chain([head], repeat(block))


async def longest_stand(done: asyncio.Task[object]) -> float:
    """How long the event loop stood, in seconds of this thread's work, until a task is done."""
    longest, last = 0.0, time.thread_time()
    while not done.done():
        await asyncio.wait({done}, timeout=0.01)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    return longest


@pytest.mark.parametrize("opened", [8_000, 16_000])
async def test_uploads_that_are_never_closed_hold_nobody_up(
    bucket: ClipBucket, store: ObjectFront, opened: int
) -> None:
    store.tell(UPLOADS, [answer(b"<Upload>" * opened)])
    assert bucket.s3 is not None
    asked = asyncio.create_task(bucket.s3.uploads(KEY))
    assert await longest_stand(asked) < 0.5
    with pytest.raises(StoreAway, match="the store answers what S3 does not"):
        await asked


async def test_a_list_of_uploads_without_end_is_not_read_to_it(
    bucket: ClipBucket, store: ObjectFront
) -> None:
    """And a clip is removed all the same: whatever is left of uploads costs the store."""
    store.tell(UPLOADS, endless(answer(length=2**40), b"<Upload></Upload>" * 4000))
    await asyncio.wait_for(bucket.abort_uploads(CLIP), 20)
    assert store.told_bytes < SOCKETS_BYTES


async def test_a_packed_answer_is_not_unpacked(bucket: ClipBucket, store: ObjectFront) -> None:
    packed = gzip.compress(b"<a>" + b" " * 64 * MIB + b"</a>")
    store.tell(UPLOADS, [answer(packed, headers="Content-Encoding: gzip\r\n")])
    assert bucket.s3 is not None
    with pytest.raises(StoreAway):
        await bucket.s3.uploads(KEY)


async def test_an_answer_that_leads_elsewhere_is_not_followed(
    bucket: ClipBucket, store: ObjectFront
) -> None:
    """It could be anybody whom this machine reaches, and others not."""
    asked: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(answer(b"secret", headers=OF_OBJECT))
        writer.close()

    elsewhere = await asyncio.start_server(take, "127.0.0.2", 0)
    port = elsewhere.sockets[0].getsockname()[1]
    leads = f"Location: http://127.0.0.2:{port}/\r\n"
    store.tell(".", [answer(status="307 Temporary Redirect", headers=leads)])
    assert bucket.s3 is not None
    async with elsewhere:
        with pytest.raises(StoreAway):
            await bucket.open(CLIP)
        with pytest.raises(StoreAway):
            await bucket.publish(CLIP, part_of(bucket, b"clip"))
        with pytest.raises(StoreAway):
            await bucket.s3.uploads(KEY)
    assert asked == []


async def test_a_mark_of_whose_prefix_it_is_has_its_size(
    bucket: ClipBucket, store: ObjectFront
) -> None:
    head = answer(headers=OF_OBJECT, length=2**40)
    store.tell(r"^GET .*\.instance", endless(head))
    with pytest.raises(StoreAway, match="more than the 1024 bytes came that were asked for"):
        await bucket.publish(CLIP, part_of(bucket, b"clip"))
    assert store.told_bytes < SOCKETS_BYTES


async def test_a_range_has_the_bytes_that_were_asked_for(
    bucket: ClipBucket, store: ObjectFront
) -> None:
    store.tell("^HEAD ", [answer(headers=OF_OBJECT, length=1000)])
    ranged = f"Content-Range: bytes 0-999/1000\r\n{OF_OBJECT}"
    store.tell("^GET ", endless(answer(status="206 Partial", headers=ranged, length=2**40)))
    opened = await bucket.open(CLIP)
    with pytest.raises(StoreAway, match="more than the 1000 bytes came that were asked for"):
        await anext(opened.read(0, 1000))
    assert store.told_bytes < SOCKETS_BYTES


async def test_a_list_without_an_end_is_not_read_to_say_that_there_is_one(
    bucket: ClipBucket, store: ObjectFront
) -> None:
    more = "".join(
        f"<Contents><Key>replay/clips/{n}</Key><Size>1</Size>"
        "<LastModified>2026-11-10T20:48:33.000Z</LastModified></Contents>"
        for n in range(1000)
    )
    page = (
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        f"<NextContinuationToken>on</NextContinuationToken>{more}</ListBucketResult>"
    )
    store.tell(r"^GET .*\.instance", [answer(OURS.encode(), headers=OF_OBJECT)])
    store.tell(r"^GET .*list-type=2", [answer(page.encode())])
    store.tell(r"^GET ", [answer(b"probe", headers=OF_OBJECT)])
    store.tell(r"^PUT ", [answer(headers=OF_OBJECT)])
    store.tell(r"^(DELETE|POST) ", [answer(DELETED)])
    async with asyncio.timeout(10):
        await bucket.probe()
    assert store.count("list-type=2") < 10
