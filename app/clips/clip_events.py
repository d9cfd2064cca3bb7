"""Tells a clip's owner what others do about it: by an event, and in the room."""

from __future__ import annotations

from app.access.tokens import Caller
from app.context import Context
from app.events import outbox
from app.events.contents import ClipWithdrawnContent, DeletionRequestedContent
from app.models import ClipLoss, ClipRow


async def withdrawn(ctx: Context, who: str, row: ClipRow, loss: ClipLoss) -> None:
    """Somebody has closed or deleted a clip: the owner's own word is no news.

    Each time is told once, however often this is called with the row of that time.
    """
    if who == row["owner"]:
        return
    content = ClipWithdrawnContent(
        clip_id=row["_id"],
        buffer_id=row["buffer_id"],
        shared_by=row["shared_by"],
        title=row["title"],
        community=row["community"],
        withdrawn_by=who,
        loss=loss,
    )
    key = f"{row['_id']}:{loss}:{row['grant']}:{row['turn']}"
    await outbox.tell_of(ctx, content, key, row, identity=row["owner"])


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
    key = f"{row['_id']}:{outbox.person(caller.identity)}"
    await outbox.tell_of(ctx, content, key, row, identity=row["owner"])
