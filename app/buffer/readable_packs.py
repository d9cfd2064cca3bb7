"""Rows of packs, as far as they can be read.

One that was altered is passed over: what it tells of is on the disk as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from app.buffer import packs
from app.models import PackedFragment, PackRow, PackState
from app.models.schema import Pack
from app.storage.confined import PathRefused
from app.store import Store

_MOST_SAID = 1_000

log = structlog.get_logger()
_said: set[str] = set()
"""The packs that the log was told of by this process."""


def fragments(row: PackRow) -> list[PackedFragment]:
    """What a pack has, in order; nothing if that can't be read. The row has at least `_id`."""
    found = row.get("fragments")
    if isinstance(found, list) and found and all(map(_is_fragment, found)):
        return found
    _say_once(row, "what it has can't be read")
    return []


async def written(store: Store, session_ids: Iterable[str]) -> list[PackRow]:
    """The packs of sessions that clips may be put together of."""
    of_sessions = {"session_id": {"$in": list(session_ids)}, "state": PackState.WRITTEN}
    rows = await store.rows(Pack).find(of_sessions).to_list(None)
    return [row for row in rows if _is_usable(row)]


def _is_usable(row: PackRow) -> bool:
    try:
        packs.storage_path(row)
    except (PathRefused, TypeError) as error:
        _say_once(row, str(error))
        return False
    if not (isinstance(row.get("tag"), str) and row["tag"]):
        _say_once(row, "it has no tag")
        return False
    return bool(fragments(row))


def _is_fragment(told: object) -> bool:
    if not isinstance(told, dict):
        return False
    numbers = [told.get(name) for name in ("sequence", "offset", "length")]
    at = told.get("modified_ns")
    return (at is None or isinstance(at, int)) and all(
        isinstance(each, int) and each >= 0 for each in numbers
    )


def _say_once(row: PackRow, why: str) -> None:
    pack_id = str(row["_id"])
    if pack_id not in _said and len(_said) < _MOST_SAID:
        _said.add(pack_id)
        log.warning("pack_unreadable", pack=pack_id, why=why)
