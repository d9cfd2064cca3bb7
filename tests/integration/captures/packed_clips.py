"""What a capture moves whose media is packed in the bucket of its clip, and what one that is sent.

    python -m tests.integration.captures.packed_clips 10 60

Minutes of a share of some 1.6 Mbit/s, on SeaweedFS: bytes and requests until each clip is ready.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from app.access import quota
from app.context import opened
from app.processes.embedded import embedded_stores
from app.settings import load
from app.storage.shared_folder import SharedFolder
from deploy.local.seaweed import Seaweed
from tests.integration.buffer.packing import pack_all
from tests.integration.buffer.shares import begin_share, indexing
from tests.integration.captures import checking
from tests.integration.captures.conftest import ADA, end_share
from tests.media_factory import TICKS, MediaFactory, Recording, Shape, TsSegment, stepped
from tests.object_front import ObjectFront
from tests.stuffed_recording import stuffed
from tests.waiting import wait_for

PICTURE_BYTES = 12_500
PIECE = 20
LONG_SECONDS = 700


def recording(folder: Path, minutes: int) -> Recording:
    """So many minutes: the same 20 s again and again, each time later."""
    piece = MediaFactory(folder).record(Shape(frames=15 * PIECE))
    piece = stuffed(piece, folder / "stuffed", PICTURE_BYTES)
    segments = []
    for number in range(minutes * 60 // PIECE):
        for segment in piece.segments:
            path = folder / f"{number:04d}-{segment.path.name}"
            path.write_bytes(stepped(segment.path.read_bytes(), number * PIECE * TICKS))
            extinf = segment.extinf_seconds if segment is not piece.segments[-1] else 2.0
            segments.append(TsSegment(path, extinf))
    return replace(piece, segments=tuple(segments))


async def measure(folder: Path, minutes: int) -> None:
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(
            embedded_stores(folder / "stores", ["MONGO_URL", "REDIS_URL"])
        )
        store = await stack.enter_async_context(Seaweed(folder / "seaweed"))
        front = await stack.enter_async_context(ObjectFront(store.endpoint).served())
        await store.make_bucket("clips")
        given = store.clip_settings("clips") | store.buffer_settings("clips")
        settings = load(
            _env_file=None,
            livekit_url="ws://127.0.0.1:9",
            livekit_api_key="devkey",
            livekit_api_secret="the-secret-of-the-tests-of-32-bytes",
            data_dir=folder / "data",
            free_space_min_bytes=0,
            max_capture_minutes=90,
            retention_minutes=120,
            retention_minutes_top=120,
            **{name.lower(): value for name, value in (given | urls).items()}
            | {"s3_endpoint": front.endpoint},
        )
        far = await stack.enter_async_context(opened(settings))
        near = replace(far, egress=SharedFolder(settings.media_root))
        media = recording(folder, minutes)
        start = datetime.now(UTC) - timedelta(minutes=minutes, seconds=30)
        share = await begin_share(near, "ada", start, media, role=None)
        share.commit(len(media.segments))
        share.egress.end()
        await share.change(status="EGRESS_COMPLETE", ended_at=datetime.now(UTC))

        async def closed() -> bool:
            return (await share.session())["indexing"] is None

        async with indexing(near):
            await wait_for(closed, LONG_SECONDS)
        await end_share(near, share.buffer_id)
        await quota.set_limit(near.store, "ada", 10**13)
        front.seen.clear()
        await pack_all(far, share.session_id, LONG_SECONDS)
        print(f"{minutes} min: {len(front.seen)} packs, {front.sent_bytes} bytes sent", flush=True)
        for ctx, name in ((near, "sent whole"), (far, "put together")):
            front.seen.clear()
            front.sent_bytes = front.answered_bytes = 0
            began = time.monotonic()
            made = await checking.captured(ctx, ADA, last=minutes * 60 - 7)
            assert made.file is not None, made.capture["detail"]
            kinds = Counter(kind(line) for line in front.seen)
            print(
                f"{minutes} min {name}: {made.file['size_bytes']} bytes,"
                f" sent {front.sent_bytes}, fetched {front.answered_bytes},"
                f" requests {len(front.seen)} {dict(kinds)}, {time.monotonic() - began:.1f} s,"
                f" {made.file['checksum']}",
                flush=True,
            )


def kind(line: str) -> str:
    method = line.partition(" ")[0]
    if "x-amz-copy-source" in line:
        return "UploadPartCopy"
    return "UploadPart" if "partNumber" in line else method


def main() -> None:
    for minutes in map(int, sys.argv[1:]):
        with TemporaryDirectory() as folder:
            asyncio.run(measure(Path(folder), minutes))


if __name__ == "__main__":
    main()
