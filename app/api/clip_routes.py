"""The clips that people keep: /clips."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from starlette.routing import BaseRoute

from app.access import policy
from app.api.auth import Reader
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.wire import Input, InstantText, RoundedSeconds, View
from app.captures.requests import TITLE_LENGTH, Instant, Name, checked_title
from app.clips import clean_copies, clip_pages, library
from app.clips.clip_pages import Clip, Wanted
from app.clips.clip_visibility import NoPublicUrl, page_path
from app.errors import Gone, Invalid, NotFound, NotPermitted, QuotaExceeded
from app.models import ClipRow, LinkFact, Visibility, Why
from app.recording import admission
from app.settings.values import LinkDays


class Requested(View):
    """The window that was asked for."""

    start: InstantText
    end: InstantText


class Delivered(View):
    """What the clip shows: from the first picture to the end of the last one."""

    start: InstantText
    end: InstantText
    duration: RoundedSeconds


class ClipGapView(View):
    """A stretch of the window without picture: where, why, and whether the clip holds its time."""

    start: InstantText
    end: InstantText
    why: str
    kept: bool


class ClipView(View):
    """A clip. Lengths are seconds. `url` reads its bytes without a token, for a while."""

    id: str
    title: str
    owner: str
    shared_by: str = Field(description="Whose screen it shows.")
    buffer: str = Field(description="The share that it was cut from, which may be gone since.")
    room: str
    requested: Requested
    delivered: Delivered
    gaps: list[ClipGapView]
    notes: list[str]
    tail_lag: RoundedSeconds = Field(description="How much of the end of the window is missing.")
    hidden_head_seconds: RoundedSeconds = Field(
        description="Media in the file before the first shown picture, which players skip. Others "
        "than the owner get a copy without it."
    )
    preparing: bool = Field(
        description="Others wait for their copy, some seconds: until it is there, `size` is that "
        "of the clip itself, and their `url` answers 503 `preparing`."
    )
    audio: bool
    width: int
    height: int
    cut: str
    clock: str = Field(description="`exact`, or `approximate`: up to 2 s off.")
    visibility: str
    link_url: str | None = Field(description="Reads the bytes, whoever has it; owners see it.")
    page_url: str | None = Field(
        description="A page to send to people, who watch it there: as `link_url`, which ends with "
        "it."
    )
    link_expires_at: InstantText | None
    link_tells: list[str] = Field(
        description="What that page tells besides the title: `who`, `when`."
    )
    views: int | None = Field(
        description="How often the link's page was looked at; its owner sees it."
    )
    keep: bool
    size: int
    checksum: str | None = Field(description="`sha256:…`; null for some seconds.")
    file_id: str
    url: str
    poster: str = Field(description="A picture of it.")
    thumbnails: str = Field(description="WebVTT that finds a picture for each key frame.")
    created_at: InstantText
    expires_at: InstantText | None


class ClipPage(View):
    """Clips, newest first. `next` asks for the following ones; null at the end."""

    items: list[ClipView]
    next: str | None


class ClipQuery(Input):
    """Which clips."""

    room: Name | None = Field(None, description="Only of this room.")
    owner: Name | None = Field(None, description="Only of this owner.")
    since: Instant | None = Field(None, description="Only made at this time or later.")
    until: Instant | None = Field(None, description="Only made before this time.")
    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH)] | None = Field(
        None,
        description="Only with this in their title, in upper or lower case. A page may then hold "
        "fewer than `limit`, or none, and still have a `next`.",
    )
    shared_by: Name | None = Field(
        None, description="Only of this person's screen. Pages are as with `title`."
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    next: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Where the page before ended."
    )


class ClipChange(Input):
    """What PATCH may change."""

    title: str | None = None
    visibility: Visibility | None = Field(
        None,
        description="`room`: who was in the room; `link`: who has its `link_url`. What is revoked "
        "ends at once; a new link is another one.",
    )
    link_days: Annotated[LinkDays, Field(strict=True)] | None = Field(
        None,
        description="How long a link holds; default: LINK_DAYS. Only with `visibility: link`.",
    )
    link_tells: Annotated[list[LinkFact], Field(max_length=len(LinkFact))] | None = Field(
        None, description="What the link's page tells besides the title. Both, unless you say."
    )
    share_hidden_head: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="Others get the clip's own file at once, with its `hidden_head_seconds`, not "
        "a copy without them.",
    )
    keep: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Kept clips do not expire."
    )

    @field_validator("title")
    @classmethod
    def _title(cls, value: str | None) -> str | None:
        return None if value is None else checked_title(value)

    @model_validator(mode="after")
    def _life_of_a_link(self) -> ClipChange:
        if self.link_days is not None and self.visibility != Visibility.LINK:
            raise ValueError('link_days is how long a link holds: give "visibility": "link" too')
        return self


def media_url(row: ClipRow, reader: Reader, path: str) -> str:
    """A URL of a clip's bytes or pictures. Others' ends with the next change of who may see it."""
    return reader.url(path) if _owns(row, reader) else reader.url(path, grant=str(row["grant"]))


def _owns(row: ClipRow, reader: Reader) -> bool:
    return reader.caller is not None and reader.caller.identity == row["owner"]


def view(clip: Clip, reader: Reader) -> ClipView:
    """A clip as its reader is shown it."""
    row, file = clip.row, clip.file
    path = f"/file/{file['_id']}"
    shown = reader.caller is not None and policy.may_see_link(reader.caller, row["owner"])
    link = row["link_secret"] if shown else None
    copied = not _owns(row, reader) and clean_copies.is_replaced(row)
    return ClipView(
        id=row["_id"],
        title=row["title"],
        owner=row["owner"],
        shared_by=row["shared_by"],
        buffer=row["buffer_id"],
        room=row["room"],
        requested=Requested(start=row["requested_start"], end=row["requested_end"]),
        delivered=Delivered(
            start=row["delivered_start"] or row["requested_start"],
            end=row["delivered_end"] or row["requested_end"],
            duration=row["duration_seconds"],
        ),
        gaps=[ClipGapView.model_validate(gap) for gap in row["gaps"]],
        notes=[*row["notes"]],
        tail_lag=row["tail_lag_seconds"],
        hidden_head_seconds=0.0 if copied else row["hidden_head_seconds"],
        preparing=clean_copies.is_due(row),
        audio=row["audio"],
        width=row["width"],
        height=row["height"],
        cut=row["cut"],
        clock=row["clock"],
        visibility=row["visibility"],
        link_url=f"{reader.base_url}{path}?link={link}" if link else None,
        page_url=f"{reader.base_url}{page_path(link)}" if link else None,
        link_expires_at=row["link_expires_at"] if link else None,
        link_tells=[*row["link_tells"]],
        views=row["views"] if shown else None,
        keep=row["keep"],
        size=(row["clean_bytes"] if copied else None) or file["size_bytes"],
        checksum=row["clean_checksum"] if copied else file["checksum"],
        file_id=file["_id"],
        url=media_url(row, reader, path),
        poster=media_url(row, reader, f"/clips/{row['_id']}/poster.jpg"),
        thumbnails=media_url(row, reader, f"/clips/{row['_id']}/thumbnails.vtt"),
        created_at=row["created_at"],
        expires_at=None if row["keep"] else row["expires_at"],
    )


_CLIP = {HTTPStatus.OK: Answer("The clip.")}


@endpoint(
    "GET /clips",
    "My clips",
    answers={HTTPStatus.OK: Answer("A page of clips.")},
    problems=[Invalid],
)
async def list_clips(call: Call[ClipQuery]) -> ClipPage:
    """Those that the caller may see."""
    given = call.input
    wanted = Wanted(given.room, given.owner, given.since, given.until, given.title, given.shared_by)
    page = await clip_pages.page(call.ctx, call.caller, wanted, limit=given.limit, after=given.next)
    return ClipPage(items=[view(clip, call.reader) for clip in page.items], next=page.next)


@endpoint("GET /clips/{clip_id}", "One clip", answers=_CLIP, problems=[NotFound])
async def get_clip(call: Call[None]) -> ClipView:
    """As the caller may see it."""
    clip = await library.find(call.ctx, call.caller, call.path["clip_id"])
    return view(clip, call.reader)


@endpoint(
    "PATCH /clips/{clip_id}",
    "Change a clip",
    answers=_CLIP,
    problems=[NotFound, NotPermitted, NoPublicUrl],
)
async def patch_clip(call: Call[ClipChange]) -> ClipView:
    """Sets what is given."""
    clip = await library.change(
        call.ctx,
        call.caller,
        call.path["clip_id"],
        call.input.model_dump(
            exclude_none=True, include={"title", "visibility", "link_tells", "keep"}
        ),
        link_days=call.input.link_days,
        hidden_head=call.input.share_hidden_head,
    )
    return view(clip, call.reader)


@endpoint(
    "DELETE /clips/{clip_id}",
    "Delete a clip",
    description="It is hidden and its quota freed at once; its file goes 60 s later.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is deleted.")},
    problems=[NotFound, NotPermitted],
)
async def delete_clip(call: Call[None]) -> None:
    """Hides it; who waits for its owner's quota is asked again."""
    owner = await library.delete(call.ctx, call.caller, call.path["clip_id"])
    await admission.ask_again(call.ctx, {"identity": owner, "why": Why.QUOTA})


@endpoint(
    "POST /clips/{clip_id}/restore",
    "Take a DELETE back",
    description="For 60 s after it; the clip is charged again.",
    answers=_CLIP,
    problems=[NotFound, NotPermitted, Gone, QuotaExceeded],
)
async def restore_clip(call: Call[None]) -> ClipView:
    """Shows it again."""
    clip = await library.restore(call.ctx, call.caller, call.path["clip_id"])
    return view(clip, call.reader)


routes: list[BaseRoute] = [list_clips, get_clip, patch_clip, delete_clip, restore_clip]
