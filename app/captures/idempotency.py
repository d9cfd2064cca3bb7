"""The same request again: an Idempotency-Key names what was accepted under it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from app.access import policy
from app.access.tokens import Caller
from app.captures import capture_limits
from app.context import Context
from app.errors import Unavailable
from app.models import CaptureRow, CaptureStatus, Row, same_request
from app.models.schema import Capture

KEY_LIFE = timedelta(hours=24)
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.02


async def accepted_before(
    ctx: Context, caller: Caller, request_hash: str, key: str | None
) -> CaptureRow | None:
    """The capture that the caller was promised under the key within KEY_LIFE, if there is one.

    One that is just being accepted is waited for. Raises Conflict if the key was used for another
    request: with another body, or with a token for another room, whose captures this one does not
    open. Raises Unavailable if the wait becomes too long.
    """
    if key is None:
        return None
    rows = ctx.store.rows(Capture)
    deadline = time.monotonic() + _WAIT_SECONDS
    while row := await rows.find_one({"caller": caller.identity, "idempotency_key": key}):
        if row["accepted_at"] < datetime.now(UTC) - KEY_LIFE:
            await rows.update_one(
                {"_id": row["_id"], "idempotency_key": key}, {"$set": {"idempotency_key": None}}
            )
            continue
        _check(caller, row, request_hash, key)
        if row["status"] != CaptureStatus.ACCEPTING:
            return row
        if time.monotonic() > deadline:
            raise Unavailable(
                "the same request is just being accepted: try again",
                retry_after=capture_limits.RETRY_SECONDS,
            )
        await asyncio.sleep(_POLL_SECONDS)
    return None


def key_of_part(key: str | None, part: str) -> str | None:
    """The key of a part of what was asked for under a key: no caller's own has a space."""
    return None if key is None else f"{key} {part}"


async def parts_before(
    ctx: Context, caller: Caller, request_hash: str, key: str | None
) -> list[CaptureRow]:
    """The captures of the parts of what the caller asked for under the key within KEY_LIFE.

    Oldest first; one that is just being accepted may still come to nothing. Raises Conflict as
    `accepted_before` does.
    """
    if key is None:
        return []
    which: Row = {
        "caller": caller.identity,
        # what begins with the key and a space
        "idempotency_key": {"$gt": f"{key} ", "$lt": f"{key}!"},
    }
    found = await ctx.store.rows(Capture).find(which).sort("accepted_at", 1).to_list(None)
    # Here, not in the question: an index serves one range, and a caller has many captures.
    oldest = datetime.now(UTC) - KEY_LIFE
    rows = [row for row in found if row["accepted_at"] >= oldest]
    for row in rows:
        _check(caller, row, request_hash, key)
    return rows


def _check(caller: Caller, row: CaptureRow, request_hash: str, key: str) -> None:
    """Raises Conflict unless what was accepted is what the caller asks for now."""
    if not policy.may_see_capture(caller, by=row["caller"], room=row["room"]):
        raise same_request.another(key)
    same_request.check(row["request_hash"], request_hash, key)
