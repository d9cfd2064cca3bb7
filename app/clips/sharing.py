"""Clips given to others: by a link, or posted in a chat."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from app.access.tokens import Caller
from app.clips import (
    clean_copies,
    clip_access,
    clip_deeds,
    clip_renditions,
    clip_report,
    clip_visibility,
    file_openness,
    library,
)
from app.clips.clip_pages import Clip
from app.clips.share_request import ShareRequest
from app.context import Context
from app.errors import Gone, NotFound
from app.events import outbox
from app.events.contents import ChatMessage, ClipSharedContent
from app.models import (
    AuditAction,
    ClipRow,
    EventName,
    EventRow,
    FileRow,
    LinkFact,
    Visibility,
    same_request,
)
from app.models.schema import OutgoingEvent, ReplayClip

NO_LINK = "there is no such link, or it was turned off"
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,64}")


class LinkExpired(Gone):
    """The clip is there, and its link was good once."""


@dataclass(frozen=True)
class Message:
    """What the chat is asked to post, in which of its channels."""

    event_id: str
    channel_id: str
    text: str
    attachments: tuple[str, ...]


def words(duration_seconds: float) -> str:
    """The text of a message that the caller has not written."""
    return f"🎬 Replay captured ({max(1, round(duration_seconds / 60))} min)"


async def share(
    ctx: Context,
    caller: Caller,
    clip_id: str,
    request: ShareRequest,
    idempotency_key: str | None = None,
) -> Message:
    """Asks the chat, by the event `clip_shared`, to post a clip; tells the live room, too.

    Asked again with the same key it is the same event. Raises NotFound, NotPermitted, NoEventsUrl,
    Conflict if somebody has closed the clip, or the key was used for another request.
    """
    row = await clip_access.changeable(ctx, caller, clip_id)
    clip_visibility.check_not_closed(row)
    wanted = EventName.CLIP_SHARED, row["room"], row["community"]
    if not any(target.wants(*wanted) for target in ctx.settings.all_event_targets):
        raise outbox.NoEventsUrl(
            "no chat would hear of it: whoever runs this instance has to set EVENTS_URL, "
            "EVENTS_KEY and EVENTS_SECRET, or a target in EVENTS_TARGETS that wants it"
        )
    if clean_copies.replaces(row):
        await clean_copies.want(ctx, row)  # that is what the chat's readers get
    key = f"{clip_id}:{_occasion(clip_id, caller, idempotency_key)}"
    message = Message(
        event_id=f"{EventName.CLIP_SHARED}:{key}",
        channel_id=request.channel_id,
        text=words(row["duration_seconds"]) if request.text is None else request.text,
        attachments=(row["file_id"],),
    )
    who, action, channel = caller.identity, AuditAction.CLIP_SHARED, request.channel_id
    content, asked = _content(row, message), same_request.hash_of(request, "share", clip_id)
    known = ctx.store.rows(OutgoingEvent)
    while (told := await known.find_one({"_id": message.event_id}, {"request_hash": 1})) is None:
        async with clip_deeds.audited(ctx, who, action, row, channel_id=channel) as doing:
            doing.is_done = await outbox.tell_of(
                ctx, content, key, row, identity=who, request_hash=asked
            )
        if doing.is_done:
            return message
    same_request.check(told["request_hash"], asked, idempotency_key)
    return message


async def page_of(ctx: Context, event: EventRow) -> str | None:
    """The page of the link of a clip that an event shares, None if it has no link that holds.

    Whoever reads the chat gets the right to see the clip with it. So it is given only where the
    clip is open to whoever has its link, and who may open it has asked to have it posted.
    """
    if event["event"] != EventName.CLIP_SHARED:
        return None
    row = await ctx.store.rows(ReplayClip).find_one({"_id": event["data"]["clip_id"]})
    if row is None or not clip_access.is_shown(row):
        return None
    secret = row["link_secret"]
    if secret is None or not clip_visibility.link_holds(row, datetime.now(UTC)):
        return None
    return f"{ctx.settings.base_url}{clip_visibility.page_path(secret)}"


def _occasion(clip_id: str, caller: Caller, idempotency_key: str | None) -> str:
    """What tells this sharing from others of the clip; the same for the same key."""
    if idempotency_key is None:
        return secrets.token_hex(12)
    named = f"{clip_id}\0{caller.identity}\0{idempotency_key}"
    return hashlib.sha256(named.encode()).hexdigest()[:24]


def _content(row: ClipRow, message: Message) -> ClipSharedContent:
    return ClipSharedContent(
        clip_id=row["_id"],
        file_id=row["file_id"],
        title=row["title"],
        shared_by=row["shared_by"],
        duration=round(row["duration_seconds"], 3),
        community=row["community"],
        channel_id=message.channel_id,
        message=ChatMessage(text=message.text, attachments=list(message.attachments)),
    )


async def file_by_link(ctx: Context, file_id: str, secret: str) -> Clip:
    """The clip of a file that a link opens, and the file that it gets, named as its owner lets.

    Raises NotFound, the same for a wrong, a revoked and an expired link, and for no such file; Gone
    if the clip is deleted; Preparing.
    """
    file, clip = await _linked(ctx, file_id)
    holds = clip_visibility.link_holds(clip, datetime.now(UTC))
    if not file_openness.opens(clip, secret) or not holds:
        raise NotFound(library.NO_FILE)
    if not clip_access.is_shown(clip):
        raise Gone("the clip was deleted")
    served = await clean_copies.file_for_others(ctx, Clip(clip, file))
    tells_when = LinkFact.WHEN in clip["link_tells"]
    return Clip(clip, clip_report.named(served, clip, "", tells_when=tells_when))


async def _linked(ctx: Context, file_id: str) -> tuple[FileRow, ClipRow]:
    """The rows of a file that a link may open, and of its clip. Raises NotFound.

    A link is one clip's: it opens nothing that shows others, too.
    """
    file, clip = await library.file_and_clip(ctx, file_id)
    if len(await clip_renditions.clips_of_file(ctx, file, clip)) > 1:
        raise NotFound(library.NO_FILE)
    return file, clip


async def clip_by_link(ctx: Context, secret: str, now: datetime) -> Clip:
    """The clip that a link opens.

    Raises NotFound, the same for a wrong and a revoked link, LinkExpired, and Gone if the clip is
    deleted.
    """
    if not _SECRET.fullmatch(secret):
        raise NotFound(NO_LINK)
    row = await ctx.store.rows(ReplayClip).find_one({"link_secret": secret})
    if row is None or row["visibility"] != Visibility.LINK:
        raise NotFound(NO_LINK)
    if not clip_access.is_shown(row):
        raise Gone("the clip was deleted")
    if not clip_visibility.link_holds(row, now):
        raise LinkExpired("the link has expired: ask whoever sent it for a new one")
    if clean_copies.is_due(row):
        await clean_copies.want(ctx, row)  # most often somebody has, when it was opened
    return await library.with_file(ctx, row)


async def count_view(ctx: Context, clip_id: str) -> None:
    """Counts that somebody has looked at what a link opens."""
    await ctx.store.rows(ReplayClip).update_one({"_id": clip_id}, {"$inc": {"views": 1}})
