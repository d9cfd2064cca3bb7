"""Compares what quotas say with the clips and files there are, and repairs what has drifted.

It should never find anything: every change of a quota is guarded by the clip's own entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from app import metrics
from app.access import accounts, audit
from app.access.accounts import Correction
from app.clips import clip_access
from app.context import Context
from app.models import AuditAction, ClipRow, Row
from app.models.metric_words import ErrorKind
from app.models.schema import Capture, File, Rendition, ReplayClip
from app.store import batches, dated
from app.work import rounds
from app.work.jobs import hours, job, seconds

SETTLE_SECONDS = 5.0
"""A difference must be there twice, this far apart: in between, clips come and go."""
_AT_ONCE = 500

log = structlog.get_logger()


@job("check_quotas", every=hours(24), timeout=seconds(90))
async def check(ctx: Context, settle_seconds: float = SETTLE_SECONDS) -> list[Correction]:
    """Compares all quotas with the clips and files there are. The corrections that were made."""
    first = await differences(ctx)
    if not first:
        return []
    await asyncio.sleep(settle_seconds)
    second = await differences(ctx)
    made = []
    for identity, correction in second.items():
        with rounds.item(identity=identity):
            if first.get(identity) != correction:
                continue
            if await accounts.correct(ctx.store, correction) and correction.is_drift:
                await _say(ctx, correction)
                made.append(correction)
    return made


async def _say(ctx: Context, correction: Correction) -> None:
    metrics.ERRORS.labels(ErrorKind.QUOTA_DRIFT).inc()
    numbers: Row = {
        "drift_bytes": correction.drift_bytes,
        "found_bytes": correction.found["used_bytes"],
        "right_bytes": correction.right["used_bytes"],
    }
    log.error("quota_repaired", identity=correction.identity, **numbers)
    await audit.note(
        ctx.store, audit.NOBODY, AuditAction.QUOTA_REPAIRED, correction.identity, **numbers
    )


async def differences(ctx: Context) -> dict[str, Correction]:
    """What has to be corrected as things are now, by identity."""
    moving = set(await ctx.store.rows(Capture).distinct("clip_id", {"lease_until": dated()}))
    clips: dict[str, dict[str, int]] = {}
    async for rendition in ctx.store.rows(Rendition).find({}):
        with rounds.item(rendition=rendition["_id"]):
            if rendition["lease_until"] is not None:
                moving.add(rendition["_id"])
            elif (size_bytes := rendition["size_bytes"]) is not None:
                clips.setdefault(rendition["caller"], {})[rendition["_id"]] = size_bytes
    unsure: list[str | None] = []
    fields = dict.fromkeys(("owner", "file_id", *clip_access.SHOWN), 1)
    async for rows in batches(ctx.store.rows(ReplayClip).find({}, fields), _AT_ONCE):
        shown: list[ClipRow] = []
        for row in rows:
            with rounds.item(clip=row["_id"]) as attempt:
                if clip_access.is_shown(row):
                    shown.append(row)
                else:
                    moving.add(row["_id"])  # it may be shown again, and is swept otherwise
            if attempt.error is not None:
                unsure.append(row.get("owner"))
        unsure += await _add(ctx, shown, clips)
    found = await accounts.compare(ctx.store, clips, moving)
    return {identity: each for identity, each in found.items() if identity not in unsure}


async def _add(
    ctx: Context, rows: Sequence[ClipRow], clips: dict[str, dict[str, int]]
) -> list[str | None]:
    """Adds the clips' sizes, by owner. Says which files are not as their rows say.

    Returns the owners of clips that can't be looked at: what they have in all is not known.
    """
    wanted = {"_id": {"$in": [row.get("file_id") for row in rows]}}
    files = await ctx.store.rows(File).find(wanted).to_list(None)
    by_id = {file["_id"]: file for file in files}
    sizes = await ctx.clips.sizes({str(each.get("storage_path")) for each in files})
    unsure: list[str | None] = []
    for row in rows:
        with rounds.item(clip=row["_id"]) as attempt:
            if (file := by_id.get(row["file_id"])) is None:
                continue
            on_disk = sizes[str(file.get("storage_path"))]
            if on_disk != file["size_bytes"]:
                metrics.ERRORS.labels(ErrorKind.CLIP_FILE_WRONG).inc()
                log.error(
                    "clip_file_wrong",
                    clip=row["_id"],
                    size_bytes=file["size_bytes"],
                    on_disk_bytes=on_disk,
                )
            clips.setdefault(row["owner"], {})[row["_id"]] = file["size_bytes"]
        if attempt.error is not None:
            unsure.append(row.get("owner"))
    return unsure
