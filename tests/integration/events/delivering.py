"""Delivery of events, as the worker's jobs do it one after another."""

from __future__ import annotations

from app.context import Context
from app.events import postings, sender
from app.events.postings import PageOf
from app.events.sender import Say


async def deliver(ctx: Context, say: Say, room: str, page_of: PageOf = postings.no_page) -> None:
    """Says what is new of a room's events, and posts what is due of them to each target."""
    await sender.deliver(ctx, say, room)
    for target in ctx.settings.all_event_targets:
        await postings.post(ctx, page_of, room, target.name)
