"""Tells a clip's owner what others do about it: by an event, and in the room."""

from __future__ import annotations

import hashlib

from app.access.tokens import Caller
from app.context import Context
from app.events import outbox
from app.events.contents import ClipWithdrawnContent, DeletionRequestedContent, EventContent
from app.models import ClipLoss, ClipRow


async def withdrawn(ctx: Context, caller: Caller, row: ClipRow, loss: ClipLoss) -> None:
    """Somebody has closed or deleted a clip: the owner's own word is no news.

    Each time is told once, however often this is called with the row of that time.
    """
    if caller.identity == row["owner"]:
        return
    content = ClipWithdrawnContent(
        clip_id=row["_id"],
        buffer_id=row["buffer_id"],
        shared_by=row["shared_by"],
        title=row["title"],
        community=row["community"],
        withdrawn_by=caller.identity,
        loss=loss,
    )
    await _tell(ctx, row, content, f"{row['_id']}:{loss}:{row['grant']}:{row['turn']}")


async def deletion_requested(ctx: Context, caller: Caller, row: ClipRow, reason: str) -> None:
    """Somebody asks a clip's owner to delete it: told once of each who asks."""
    content = DeletionRequestedContent(
        clip_id=row["_id"],
        buffer_id=row["buffer_id"],
        shared_by=row["shared_by"],
        title=row["title"],
        community=row["community"],
        requested_by=caller.identity,
        reason=reason,
    )
    who = hashlib.sha256(caller.identity.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    await _tell(ctx, row, content, f"{row['_id']}:{who}")


async def _tell(ctx: Context, row: ClipRow, content: EventContent, key: str) -> None:
    await outbox.tell(
        ctx,
        content,
        key,
        room=row["room"],
        room_sid=row["room_sid"],
        identity=row["owner"],
    )
