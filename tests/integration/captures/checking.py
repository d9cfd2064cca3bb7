"""Captures run to their end, and their clips held to what the egress had written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from app.access import quota
from app.access.tokens import Caller
from app.captures import acceptance, execution
from app.captures.capture_tools import CaptureTools
from app.captures.requests import CaptureRequest
from app.captures.slots import Slots
from app.captures.verification import Verifier
from app.context import Context
from app.models import CaptureRow, ClipRow, FileRow
from app.models.schema import Capture, File, Pin, ReplayClip, UserReplayQuota
from app.storage import clip_files
from tests.integration.buffer.shares import DiskShare, begin_share, indexing
from tests.media_factory import Recording
from tests.packet_checker import TICKS, Shown, check_clip, read_clip, read_transport
from tests.waiting import wait_for

VERIFIER = Verifier()
"""Of all tests: its process ends with theirs."""


@dataclass(frozen=True)
class Done:
    """A capture that is over: its rows as they stand then, and its file."""

    capture: CaptureRow
    clip: ClipRow | None
    file: FileRow | None
    path: Path | None


async def accepted(ctx: Context, caller: Caller, **asked: Any) -> CaptureRow:
    """A capture that was accepted and that nobody has begun; of "room" unless told otherwise."""
    request = CaptureRequest.model_validate({"room": "room"} | asked)
    return await acceptance.accept(ctx, caller, request)


async def work_on(ctx: Context, capture_id: str, slots: Slots | None = None) -> None:
    """What a worker does with the job of a capture: one of its own, unless it is given slots."""
    await execution.run(ctx, tools_of(ctx, slots), capture_id)


async def leases_end(ctx: Context) -> None:
    """What 15 seconds without a heartbeat do."""
    await ctx.store.rows(Capture).update_many(
        {"lease_until": {"$ne": None}},
        {"$set": {"lease_until": datetime.now(UTC) - timedelta(seconds=1)}},
    )


async def go_on(ctx: Context, capture_id: str) -> Done:
    """The capture after another worker had its turn."""
    await leases_end(ctx)
    await execution.requeue_expired(ctx)
    await work_on(ctx, capture_id)
    return await done(ctx, capture_id)


def tools_of(ctx: Context, slots: Slots | None = None) -> CaptureTools:
    """The tools of a worker: of one of its own, unless it is given slots."""
    return CaptureTools(slots or Slots.of(ctx.settings), VERIFIER)


@asynccontextmanager
async def live_share(
    ctx: Context, recording: Recording, *, age: float, segments: int
) -> AsyncIterator[DiskShare]:
    """A share of ada's that began `age` seconds ago and is being indexed: so many segments yet."""
    share = await begin_share(ctx, "ada", datetime.now(UTC) - timedelta(seconds=age), recording)
    async with indexing(ctx):
        share.commit(segments)
        await share.indexed(segments)
        yield share


async def waiting(
    ctx: Context, caller: Caller, **asked: Any
) -> tuple[CaptureRow, asyncio.Task[None]]:
    """A capture that waits for media, and the job that makes it then."""
    row = await accepted(ctx, caller, **asked)
    job = asyncio.create_task(work_on(ctx, row["_id"]))
    await reaches(ctx, row["_id"], "waiting")
    return row, job


async def captured(ctx: Context, caller: Caller, **asked: Any) -> Done:
    """A capture that was accepted and made."""
    row = await accepted(ctx, caller, **asked)
    await work_on(ctx, row["_id"])
    return await done(ctx, row["_id"])


async def done(ctx: Context, capture_id: str) -> Done:
    capture = await ctx.store.rows(Capture).find_one({"_id": capture_id})
    assert capture is not None
    clip = await ctx.store.rows(ReplayClip).find_one({"_id": capture["clip_id"]})
    file = await ctx.store.rows(File).find_one({"resource_id": capture["clip_id"]})
    path = clip_files.locate(ctx.settings.media_root, file["storage_path"]) if file else None
    return Done(capture, clip, file, path)


async def reaches(ctx: Context, capture_id: str, *statuses: str) -> Done:
    """The capture, once it has one of the statuses."""

    async def there() -> bool:
        row = await ctx.store.rows(Capture).find_one({"_id": capture_id}, {"status": 1})
        return row is not None and row["status"] in statuses

    await wait_for(there, what=f"capture {capture_id} is {' or '.join(statuses)}")
    return await done(ctx, capture_id)


def files(ctx: Context) -> list[str]:
    """Every file under the clips' folder."""
    root = ctx.settings.media_root / "replays"
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def nothing_is_left(ctx: Context, identity: str = "ada", *, cut_off: bool = False) -> None:
    """No clip, no file, no pin, nothing reserved, charged or known of it, nothing left to do.

    `cut_off`: whoever accepted it was killed, and is barred until quotas are compared.
    """
    assert files(ctx) == []
    for rows in (ctx.store.rows(ReplayClip), ctx.store.rows(File), ctx.store.rows(Pin)):
        assert await rows.count_documents({}) == 0
    held = await quota.read(ctx.store, ctx.settings, identity)
    assert (held.used_bytes, held.reserved_bytes) == (0, 0)
    row = await ctx.store.rows(UserReplayQuota).find_one({"_id": identity})
    assert cut_off or row is None or row["turns"] == {}
    assert await ctx.store.rows(Capture).count_documents({"lease_until": {"$ne": None}}) == 0


def check_whole(clip: Done, share: DiskShare, *, segments: int | None = None) -> None:
    """Every packet of the share that the clip claims to show is in it once, at its time.

    `segments`: how many had been committed, if not all. Of those, the last one shown is the last
    that is looked at: sound of its end that egress has put into the next one is not in the clip.
    """
    assert clip.path is not None
    assert clip.clip is not None
    delivered_start, delivered_end = clip.clip["delivered_start"], clip.clip["delivered_end"]
    assert delivered_start is not None
    assert delivered_end is not None
    start = _on_a_frame(_seconds(delivered_start, share), share)
    end = _seconds(delivered_end, share)  # the last picture may be shown in part
    spans = clip.capture["spans"]  # none yet where the share was only starting
    asked_end = spans[-1]["end_ticks"] / TICKS if spans else end
    begins = accumulate((each.extinf_seconds for each in share.media.segments), initial=0.0)
    reached = sum(begin < asked_end for begin in begins)
    source = read_transport(each.path for each in share.media.segments[:segments][:reached])
    shown = Shown("one", start, end, 0.0, asked_end)
    check_clip(read_clip(clip.path), {"one": source}, [shown])
    assert clip.clip["duration_seconds"] == pytest.approx(end - start, abs=0.002)


def pictures_shown(path: Path) -> list[bytes]:
    """A hash of each picture that the clip shows, in order of time."""
    packets = [packet for packet in read_clip(path).video if not packet.hidden]
    return [packet.digest for packet in sorted(packets, key=lambda packet: packet.seconds)]


def pictures_of(share: DiskShare, start: float, end: float) -> list[bytes]:
    """A hash of each picture of [start, end) seconds of a share, in order of time."""
    media = read_transport(segment.path for segment in share.media.segments)
    packets = sorted(media.video, key=lambda packet: packet.seconds)
    return [p.digest for p in packets if start - 0.001 <= p.seconds < end - 0.001]


def _seconds(instant: datetime, share: DiskShare) -> float:
    """Media time; the share's clock, as its rows, is cut to milliseconds."""
    origin = share.start.replace(microsecond=share.start.microsecond // 1000 * 1000)
    return (instant - origin).total_seconds()


def _on_a_frame(seconds: float, share: DiskShare) -> float:
    """Rows hold milliseconds; frames lie on a grid."""
    ticks = share.media.frame_ticks
    return round(seconds * TICKS / ticks) * ticks / TICKS
