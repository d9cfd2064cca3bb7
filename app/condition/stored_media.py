"""Checks of what is stored: what arrives on the media root, and whether disk and rows agree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from app.buffer.session_folders import folders_of
from app.cleaning import buffer_invariants, strays
from app.clips import clip_invariants, orphans
from app.condition.findings import CheckResult
from app.context import Context
from app.models import SessionRole
from app.models.schema import EgressSession, Segment
from app.settings import Settings
from app.storage.confined import PathRefused
from app.storage.egress_store import EgressFolder
from app.storage.foreign import ForeignFolder

SHOWN = 5
FULL = 0.9
"""Of CLIPS_BYTES: with more the doctor warns."""
MEDIA_AFTER = timedelta(seconds=60)
"""An egress that has been active for so long has written something."""


async def clip_bytes(ctx: Context) -> CheckResult:
    """How much of CLIPS_BYTES is left, and what people take who do not come back."""
    most, taken = ctx.settings.clips_bytes, await orphans.taken(ctx, datetime.now(UTC))
    detail = f"clips take {taken.total_bytes / 2**30:.1f} GiB"
    if most:
        detail += f" of the {most / 2**30:.1f} of CLIPS_BYTES"
    if taken.owners:
        detail += (
            f"; {taken.orphans_bytes / 2**30:.1f} GiB are of {taken.owners} people who were not"
            f" seen for {taken.days:g} days"
        )
    if most and taken.total_bytes > FULL * most:
        return CheckResult("warn", detail, "set ORPHAN_CLIP_DAYS or CLIP_DAYS, or more CLIPS_BYTES")
    return CheckResult("ok", detail)


async def shared_folder(ctx: Context) -> CheckResult:
    """Whether what egress records arrives here."""
    now = datetime.now(UTC)
    newest = await ctx.store.rows(Segment).find_one({}, {"indexed_at": 1}, sort=[("end", -1)])
    live = {"role": SessionRole.CURRENT, "ended_at": None, "ghost_at": None}
    active = await ctx.store.rows(EgressSession).find_one(
        live | {"active_at": {"$lt": now - MEDIA_AFTER}}, sort=[("created_at", 1)]
    )
    if active is not None:
        try:
            folder = folders_of(ctx.egress, active).written
        except PathRefused as error:
            return CheckResult("fail", str(error), "restore this session's row from a backup")
        if not isinstance(folder, ForeignFolder):
            return await asyncio.to_thread(_arrived_in, folder)
        return await asyncio.to_thread(_written_in, ctx.settings, folder)
    if newest is not None:
        age = (now - newest["indexed_at"]).total_seconds()
        return CheckResult("ok", f"egress wrote, and we read, a segment {age:.0f} s ago")
    return CheckResult(
        "unknown", "nothing is being recorded", "share a screen for a minute, then run this again"
    )


def _arrived_in(folder: EgressFolder) -> CheckResult:
    """Whether what egress uploads of a session arrives in the bucket."""
    if not folder.names():
        return CheckResult(
            "fail",
            f"egress records, and nothing arrives in {folder}",
            "its log and EgressInfo tell why it can't put there: see EGRESS_S3_ACCESS_KEY and "
            "EGRESS_S3_ENDPOINT; without a key or a role, its own storage must be this bucket",
        )
    return CheckResult("ok", f"{folder} holds what egress has uploaded")


def _written_in(settings: Settings, folder: ForeignFolder) -> CheckResult:
    """Whether what egress writes into the folder of a session arrives here, and can be deleted."""
    try:
        written = folder.names()
    except FileNotFoundError:
        written = []
    if not written:
        return CheckResult(
            "fail",
            f"egress records, and nothing arrives in {folder}",
            f"EGRESS_FILE_UPLOAD_DEST={settings.egress_media_root} must be, for egress, the folder "
            f"that FILE_UPLOAD_DEST={settings.media_root} is for us",
        )
    if not folder.is_writable():
        return CheckResult("fail", f"{folder}: we can't delete there", "give both sides one group")
    return CheckResult(
        "ok",
        f"{folder} holds {len(written)} files that egress has written{_reach(folder, written[0])}",
    )


def _reach(folder: ForeignFolder, name: str) -> str:
    """What egress may get at besides, if the owner of its files tells."""
    try:
        owner = folder.status(name).st_uid
    except FileNotFoundError:  # indexed meanwhile
        return ""
    if owner != os.getuid():
        return ""
    return (
        "; it runs as our user: nothing but a container that does not mount them keeps it from "
        "fragments/ and replays/"
    )


async def repair(ctx: Context) -> CheckResult:
    """Settles what does not match between disk and index, however much it is."""
    done = await strays.settle(ctx, datetime.now(UTC), confirmed=True)
    return CheckResult(
        "ok",
        f"removed {done.removed} files that nobody knew; {done.missing} segments whose files are "
        "gone are gaps now",
    )


async def invariants(ctx: Context) -> CheckResult:
    """Whether disk and rows of the buffers agree."""
    told = buffer_invariants.violations(ctx, datetime.now(UTC))
    violations = await _first_of(f"({each.invariant}) {each.detail}" async for each in told)
    if not violations:
        return CheckResult(
            "ok", "every segment has its file, every file its reason, every pin its media"
        )
    return CheckResult(
        "fail",
        violations,
        "cleanup settles files that nobody knows once they are old, and asks before it takes more "
        "than half; see that MONGO_URL and FILE_UPLOAD_DEST belong together, then "
        "`python -m app doctor --repair`",
    )


async def clips(ctx: Context) -> CheckResult:
    """Whether clips, their files and the quotas agree."""
    told = clip_invariants.violations(ctx, datetime.now(UTC))
    violations = await _first_of(each.detail async for each in told)
    if not violations:
        return CheckResult(
            "ok", "every clip has its file, every file its clip, every quota its sum"
        )
    return CheckResult(
        "fail",
        violations,
        "see that MONGO_URL and FILE_UPLOAD_DEST belong together; a clip whose file is lost can "
        "only be deleted, a file of no clip removed by hand",
    )


async def _first_of(violations: AsyncIterator[str]) -> str:
    """The first of them, and how many more there are: whoever lists may have any number."""
    shown: list[str] = []
    further = 0
    async for each in violations:
        if len(shown) < SHOWN:
            shown.append(each)
        else:
            further += 1
    return "; ".join(shown) + (f"; and {further} more" if further else "")
