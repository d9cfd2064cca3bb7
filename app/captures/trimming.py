"""Accepting trims: a part of a clip becomes a clip of its own, by a capture as any other."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from app.access.tokens import Caller
from app.captures import acceptance, capture_leases, row_leases
from app.captures.size_estimate import estimated_trim_bytes
from app.captures.trim_request import TrimRequest
from app.clips import clip_access, library, play_time, trims
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import Conflict, Invalid
from app.models import CaptureRow, CaptureStatus, ClipRow, same_request
from app.models.schema import Capture
from app.store import dated

SHORTEST_SECONDS = 0.05
"""About a picture."""


async def accept(
    ctx: Context,
    caller: Caller,
    clip_id: str,
    request: TrimRequest,
    idempotency_key: str | None = None,
) -> CaptureRow:
    """The row of a capture that will be made of a clip of the caller's. Its quota is reserved.

    With a key that the caller has used of late it is the capture accepted then. Raises NotFound,
    NotPermitted, Invalid, TooManyCaptures, QuotaExceeded, Conflict (the key was used for another
    request, another trim is about to take the clip's place, or the clip is too deep a trim).
    """

    async def asked() -> Capture:
        row = await clip_access.callers_own(ctx, caller, clip_id, to="trim it")
        trims.check_depth(row)
        if request.in_place:
            await _check_only_one(ctx, clip_id)
        return _capture(caller, await library.with_file(ctx, row), request)

    request_hash = same_request.hash_of(request, "trim", clip_id)
    return await acceptance.accept_once(ctx, caller, asked, request_hash, idempotency_key)


async def _check_only_one(ctx: Context, clip_id: str) -> None:
    """Raises Conflict if a trim of the clip is on its way that takes its place.

    Two that are asked for at the same moment may both pass: the later one is a clip of its own.
    """
    others = {
        "lease_until": dated(),
        "in_place": True,
        "trim.clip_id": clip_id,
        "status": {"$nin": [CaptureStatus.FAILED, CaptureStatus.CANCELLED]},
    }
    if await ctx.store.rows(Capture).find_one(others, {"_id": 1}):
        raise Conflict(
            "another trim is about to take the clip's place: wait for it, or trim without in_place"
        )


def _capture(caller: Caller, clip: Clip, request: TrimRequest) -> Capture:
    now, row = datetime.now(UTC), clip.row
    start, end = _window(row, request)
    begin = play_time.instant(row, start)
    finish = play_time.instant(row, end, is_end=True)
    whole_seconds = row["duration_seconds"] + row["hidden_head_seconds"]
    return Capture(
        id=secrets.token_hex(12),
        clip_id=secrets.token_hex(12),
        buffer_id=row["buffer_id"],
        caller=caller.identity,
        room=row["room"],
        room_sid=row["room_sid"],
        identity=row["shared_by"],
        community=row["community"],
        title=row["title"] if request.title is None else request.title,
        cut=request.cut,
        requested_start=begin,
        requested_end=finish,
        window_start=begin,
        window_end=finish,
        wait_until=now,
        trim={"clip_id": row["_id"], "start_seconds": start, "end_seconds": end},
        in_place=request.in_place,
        moment_id=row["moment_id"] if request.in_place else None,
        accepted_at=now,
        status=CaptureStatus.ACCEPTING,
        reserved_bytes=estimated_trim_bytes(
            clip.file["size_bytes"], whole_seconds, start + row["hidden_head_seconds"], end - start
        ),
        lease=capture_leases.ACCEPTANCE,
        lease_until=row_leases.until(),
    )


def _window(row: ClipRow, request: TrimRequest) -> tuple[float, float]:
    """The seconds [start, end) of a clip that are asked for. Raises Invalid."""
    whole = row["duration_seconds"]
    end = whole if request.end is None else min(request.end, whole)
    if request.start > end - SHORTEST_SECONDS:
        raise Invalid(
            f"start={request.start:g} leaves nothing before the end at {end:g} s: the clip plays "
            f"for {whole:.3f} s"
        )
    return request.start, end
