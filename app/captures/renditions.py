"""Accepting renditions: a clip, or a part of it, in another format."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from app.access import audit, quota
from app.access.tokens import Caller
from app.captures import capture_leases, capture_limits, row_leases, side_by_side
from app.captures.rendition_kinds import KINDS, MOST_BESIDE, estimated_bytes
from app.captures.rendition_request import RenditionRequest
from app.clips import clip_access, clip_renditions, library
from app.clips.clip_location import rendition_path
from app.clips.clip_pages import Clip
from app.context import Context
from app.errors import Conflict, ReplayError, Unavailable
from app.models import AuditAction, CaptureStatus, ClipRow, RenditionFormat, RenditionRow
from app.models.schema import Rendition, ReplayClip
from app.store import before, row_of

log = structlog.get_logger()


async def accept(
    ctx: Context, caller: Caller, clip_id: str, request: RenditionRequest
) -> tuple[ClipRow, RenditionRow]:
    """A clip of the caller's, and its rendition that will be made, or is there. Its quota is held.

    The row comes first, as `accepting`, as that of a capture. Raises NotFound, NotPermitted,
    Invalid, TooManyCaptures, QuotaExceeded, Conflict (the clip has too many, or none beside it,
    or there are too many pauses), Unavailable.
    """
    row = await clip_access.callers_own(ctx, caller, clip_id, to="ask for this")
    clip = await library.with_file(ctx, row)
    beside: Sequence[ClipRow] = ()
    if request.format == RenditionFormat.SIDE_BY_SIDE:
        beside = await _beside(ctx, row)
    made = _rendition(clip, beside, request)
    while not await ctx.store.create(made):
        known = await ctx.store.rows(Rendition).find_one(
            {"clip_id": clip_id, "content": made.content}
        )
        if known is None:
            continue  # it has just ended
        if known["status"] == CaptureStatus.ACCEPTING:
            raise Unavailable("the same is just being accepted: try again", retry_after=1)
        if known["status"] != CaptureStatus.FAILED:
            return row, known
        await clip_renditions.withdraw(ctx, known)
    return row, await _promised(ctx, row_of(made), clip)


async def note(ctx: Context, row: RenditionRow, clip: ClipRow) -> None:
    """Writes the audit of a rendition that was accepted, once: whoever did may have been killed."""
    await audit.note(
        ctx.store,
        row["caller"],
        AuditAction.CLIP_CONVERTED,
        clip["_id"],
        room=clip["room"],
        entry_id=row["_id"],
        owner=clip["owner"],
        format=row["format"],
    )


async def give_up(ctx: Context, row: RenditionRow) -> None:
    """Takes back the acceptance of somebody who took too long, or was killed."""
    await quota.bar(ctx.store, row["caller"], row["_id"])
    await _drop(ctx, row)


async def forget_withdrawn(ctx: Context) -> None:
    """Deletes the rows of those that were withdrawn, leave nothing to do, and count no longer."""
    over = {
        "status": CaptureStatus.CANCELLED,
        "accepted_at": before(datetime.now(UTC) - capture_limits.LONGEST_PERIOD),
        "lease_until": None,
    }
    gone = await ctx.store.rows(Rendition).delete_many(over)
    if gone.deleted_count:
        log.info("renditions_forgotten", renditions=gone.deleted_count)


async def _beside(ctx: Context, row: ClipRow) -> list[ClipRow]:
    """The other clips of its owner's and moment that a side by side shows. Raises Conflict."""
    together = {"moment_id": row["moment_id"], "owner": row["owner"], "_id": {"$ne": row["_id"]}}
    found: list[ClipRow] = []
    if row["moment_id"] is not None:
        clips = ctx.store.rows(ReplayClip).find(together | clip_access.SHOWN)
        clips = clips.sort([("shared_by", 1), ("_id", 1)]).limit(MOST_BESIDE)
        found = await clips.to_list(None)
    if not found:
        raise Conflict("there is no other clip of the clip's moment that it could be shown beside")
    return found


def _rendition(clip: Clip, beside: Sequence[ClipRow], request: RenditionRequest) -> Rendition:
    rendition_id, kind = secrets.token_hex(12), request.format
    whole = clip.row["duration_seconds"]
    if beside:
        film = side_by_side.plan([clip.row, *beside])
        if film.pauses > side_by_side.MOST_PAUSES:
            raise Conflict(
                f"the clips of the moment leave out {film.pauses} pauses: side by side they are "
                f"shown with {side_by_side.MOST_PAUSES} at most"
            )
        whole = film.seconds
    start, end = request.part_of(whole)
    beside_ids = [each["_id"] for each in beside]
    return Rendition(
        id=rendition_id,
        clip_id=clip.row["_id"],
        caller=clip.row["owner"],
        content=" ".join([kind, f"{start:.3f}", f"{end:.3f}", *beside_ids]),
        format=kind,
        beside=beside_ids,
        start_seconds=start,
        end_seconds=end,
        storage_path=rendition_path(clip.file["storage_path"], rendition_id, KINDS[kind].suffix),
        accepted_at=datetime.now(UTC),
        status=CaptureStatus.ACCEPTING,
        lease=capture_leases.ACCEPTANCE,
        lease_until=row_leases.until(),
    )


async def _promised(ctx: Context, row: RenditionRow, clip: Clip) -> RenditionRow:
    """The row once it is a promise. It is gone if it can't be one."""
    try:
        promised = await _promise(ctx, row, clip)
    except ReplayError:
        await quota.give_back(ctx.store, row["caller"], row["_id"])
        await _drop(ctx, row)
        raise
    log.info("rendition_accepted", rendition=row["_id"], clip=row["clip_id"], by=row["caller"])
    await note(ctx, promised, clip.row)
    await clip_renditions.ask(ctx, row["_id"])
    return promised


async def _promise(ctx: Context, row: RenditionRow, clip: Clip) -> RenditionRow:
    if len(await clip_renditions.of_clip(ctx, row["clip_id"])) >= clip_renditions.MOST:
        raise Conflict(
            f"the clip has {clip_renditions.MOST} renditions, and may have no more: delete one"
        )
    await capture_limits.check(ctx, row)
    size_bytes = estimated_bytes(row, clip.row, clip.file["size_bytes"])
    await quota.reserve(ctx.store, ctx.settings, row["caller"], row["_id"], size_bytes)
    fields = {"status": CaptureStatus.QUEUED, "lease": None, "lease_until": row_leases.until()}
    promised = await ctx.store.take(Rendition, row, fields)
    if promised is None:  # it took so long that it was given up: see requeue_due
        raise Unavailable("accepting it took too long: try again", retry_after=1)
    return promised


async def _drop(ctx: Context, row: RenditionRow) -> None:
    which = {"_id": row["_id"], "status": CaptureStatus.ACCEPTING}
    await ctx.store.rows(Rendition).delete_one(which)
