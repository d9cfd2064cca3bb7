"""Checks what must hold between clips, their files and quotas; says where it does not.

5. A clip's file exists at its final path if and only if its row says ready; its bytes match its
   checksum once that is known; its size is charged to exactly one quota, its owner's. The copy that
   others get of it lies beside it if its row tells its size, and is charged to nobody. A rendition
   of it that is ready has its file, and is charged as a clip is.

A file is a clip's, a copy or a rendition of one, or is being written. Checksums are not compared:
that would read every clip.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

from app.buffer.paths import CLIPS_ROOT
from app.clips.clip_location import clean_path, parts_path, storage_path
from app.context import Context
from app.models import ClipRow, QuotaRow, RenditionRow
from app.models.schema import Capture, File, Rendition, ReplayClip, UserReplayQuota
from app.storage.clip_store import KeptFile
from app.storage.violation import Violation
from app.store import before, dated

SETTLING = timedelta(minutes=2)
"""What is younger may be on its way: between a file and its row, a row and its charge."""
_PART = re.compile(r"(.+)\.\d+(?:\.\w+)?\.part")
"""The path of a part: that of its file, and what an attempt adds to it."""
_AT_ONCE = 500
_FIELDS = dict.fromkeys(
    ("owner", "file_id", "ready", "deleted_at", "created_at", "clean_bytes", "clean_until"), 1
)


async def violations(ctx: Context, now: datetime) -> AsyncIterator[Violation]:
    """All violations. Reads every clip's row and looks at every file; changes nothing."""
    busy = await _unfinished(ctx)
    quotas = {row["_id"]: row async for row in ctx.store.rows(UserReplayQuota).find({})}
    known: set[str] = set()
    copied: set[str] = set()
    charged: set[str] = set()
    rows: list[ClipRow] = []
    old = {"created_at": before(now - SETTLING)}
    async for row in ctx.store.rows(ReplayClip).find(old, _FIELDS):
        rows.append(row)
        if len(rows) == _AT_ONCE:
            for violation in await _of_clips(ctx, rows, quotas, now, known, copied):
                yield violation
            charged.update(clip["_id"] for clip in rows)
            rows = []
    for violation in await _of_clips(ctx, rows, quotas, now, known, copied):
        yield violation
    charged.update(clip["_id"] for clip in rows)
    busy |= await _unfinished(ctx)
    async for rendition in ctx.store.rows(Rendition).find({}):
        charged.add(rendition["_id"])
        if rendition["lease_until"] is not None:
            copied.add(rendition["storage_path"])
        elif rendition["size_bytes"] is not None:
            known.add(rendition["storage_path"])
            for violation in await _of_rendition(ctx, rendition, quotas):
                yield violation
    for quota in quotas.values():
        for clip_id, detail in _of_quota(quota, charged | set(busy)):
            if await _is_unknown(ctx, clip_id):
                yield Violation(5, detail)
    making = copied.union(*busy.values())
    async for listed in ctx.clips.listed(CLIPS_ROOT):
        for each in listed:
            if _is_stray(each, known, making, now):
                yield Violation(5, f"{each.storage_path} belongs to no clip")


async def _unfinished(ctx: Context) -> dict[str, set[str]]:
    """Clip id → the paths of clip and parts of every capture that somebody works on, or will."""
    working = {"lease_until": dated()}
    found = ctx.store.rows(Capture).find(
        working, dict.fromkeys(("clip_id", "caller", "accepted_at"), 1)
    )
    return {row["clip_id"]: {storage_path(ctx.clips, row), parts_path(row)} async for row in found}


async def _of_clips(
    ctx: Context,
    rows: list[ClipRow],
    quotas: dict[str, QuotaRow],
    now: datetime,
    known: set[str],
    copied: set[str],
) -> list[Violation]:
    """What is wrong with some clips. Adds the paths of their files to `known`, those of their
    copies, there or in the making, to `copied`."""
    wanted = {"_id": {"$in": [row["file_id"] for row in rows]}}
    files = {row["_id"]: row async for row in ctx.store.rows(File).find(wanted)}
    copies = {
        row["_id"]: clean_path(files[row["file_id"]]["storage_path"])
        for row in rows
        if row["file_id"] in files and (row["clean_bytes"], row["clean_until"]) != (None, None)
    }
    copied.update(copies.values())
    paths = {file["storage_path"] for file in files.values()}
    known.update(paths)
    sizes = await ctx.clips.sizes({*paths, *copies.values()})
    found: list[Violation] = []
    for row in rows:
        if not row["ready"]:
            continue  # being removed
        file, name = files.get(row["file_id"]), f"clip {row['_id']}"
        if file is None:
            found.append(Violation(5, f"{name} has no file's row"))
            continue
        told = [(f"the file of {name}", file["storage_path"], file["size_bytes"])]
        if row["clean_bytes"] is not None:
            told.append((f"the copy of {name}", copies[row["_id"]], row["clean_bytes"]))
        for what, path, size_bytes in told:
            if sizes[path] != size_bytes:
                actual = "is gone" if sizes[path] is None else f"has {sizes[path]} bytes"
                found.append(Violation(5, f"{what} {actual}, not {size_bytes}"))
        quota = quotas.get(row["owner"])
        charge = quota["charges"].get(row["_id"]) if quota else None
        if row["deleted_at"] is None and charge != file["size_bytes"]:
            found.append(
                Violation(5, f"{name} of {file['size_bytes']} bytes is charged with {charge}")
            )
        if row["deleted_at"] is not None and row["deleted_at"] < now - SETTLING and charge:
            found.append(Violation(5, f"{name} is deleted and still charged with {charge}"))
    return found


async def _of_rendition(
    ctx: Context, row: RenditionRow, quotas: dict[str, QuotaRow]
) -> list[Violation]:
    """What is wrong with one that is ready."""
    name, size_bytes = f"rendition {row['_id']}", row["size_bytes"]
    found: list[Violation] = []
    actual = (await ctx.clips.sizes([row["storage_path"]]))[row["storage_path"]]
    if actual != size_bytes:
        found.append(Violation(5, f"the file of {name} has {actual} bytes, not {size_bytes}"))
    quota = quotas.get(row["caller"])
    if quota is None or quota["charges"].get(row["_id"]) != size_bytes:
        found.append(Violation(5, f"{name} of {size_bytes} bytes is charged with another size"))
    return found


def _of_quota(quota: QuotaRow, known: set[str]) -> Iterator[tuple[str | None, str]]:
    """What is wrong with a quota: the clip it is about, if any, and the words."""
    charges, reservations = quota["charges"], quota["reservations"]
    for clip_id in (*charges, *reservations):
        if clip_id not in known:
            yield clip_id, f"the quota of {quota['_id']!r} holds bytes for clip {clip_id}, unknown"
    used, held = sum(charges.values()), sum(charges.values()) + sum(reservations.values())
    if (quota["used_bytes"], quota["held_bytes"]) != (used, held):
        yield None, f"the quota of {quota['_id']!r} says other sums than its entries add up to"


async def _is_unknown(ctx: Context, clip_id: str | None) -> bool:
    """Whether no clip, or rendition, of this id has come since the rows were read."""
    if clip_id is None:
        return True
    which = {"_id": clip_id}
    return not (
        await ctx.store.rows(ReplayClip).find_one(which)
        or await ctx.store.rows(Rendition).find_one(which)
    )


def _is_stray(file: KeptFile, known: set[str], making: set[str], now: datetime) -> bool:
    """Whether a file belongs to no clip, and is no part or file of one that is being made."""
    part = _PART.fullmatch(file.storage_path)
    final = part[1] if part else file.storage_path
    is_young = file.modified_at > now - SETTLING
    return not (file.storage_path in known or final in making or is_young)
