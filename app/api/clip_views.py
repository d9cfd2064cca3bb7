"""Clips as callers are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from app.access import policy
from app.access.policy import ClipRight
from app.access.tokens import Caller
from app.api import json_types, versions
from app.api.auth import Reader
from app.api.buffer_views import ClockWord, HasAudio
from app.api.json_types import (
    ByteCount,
    Id,
    Identity,
    InstantText,
    MediaUrl,
    MomentId,
    NextPage,
    Pixels,
    RoomName,
    RoundedSeconds,
    Told,
)
from app.api.wire import View
from app.clips import clean_copies, clip_access, play_time
from app.clips.clip_pages import Clip
from app.clips.clip_visibility import page_path
from app.context import Context
from app.models import ClipNote, ClipRow, Cut, GapWhy, LinkFact, Visibility
from app.models.word_schema import words

_RIGHTS = {right: right.name.lower() for right in ClipRight if right > ClipRight.NONE}
CutWord = Annotated[str, words(Cut), Field(description="How beginning and end were cut.")]
Notes = Annotated[
    list[Annotated[str, words(ClipNote)]],
    Field(description="How it differs from what was asked for."),
]


class Requested(View):
    """A window of time."""

    start: InstantText = Field(description="Where it begins.")
    end: InstantText = Field(description="Where it ends.")


class Delivered(View):
    """What the clip shows."""

    start: InstantText = Field(description="The first picture.")
    end: InstantText = Field(description="The end of the last picture.")
    duration_seconds: RoundedSeconds = Field(
        description="How long it plays: less than from `start` to `end` if pauses were left out.",
        serialization_alias="duration",
    )


class ClipGapView(View):
    """A stretch of the window without a picture."""

    start: InstantText = Field(description="Where it begins.")
    end: InstantText = Field(description="Where it ends.")
    why: Annotated[str, words(GapWhy)] = Field(description="Why there is no picture.")
    kept: bool = Field(description="Whether the clip holds its time.")


class ChapterView(View):
    """A moment that somebody had marked when the clip was made."""

    seconds: RoundedSeconds = Field(description="Of the play time.", examples=[12.5])
    label: json_types.Title = Field(description="In their words; may be empty.")


class DeletionRequestView(View):
    """That the clip's owner is asked to delete it."""

    requested_by: Identity = Field(description="Whom it shows, or an admin.")
    reason: json_types.Text = Field(description="Why, in their words; may be empty.")
    requested_at: InstantText = Field(description="When they asked.")


class ClipView(View):
    """A clip. Its media URLs need no token, for a while."""

    id: Id = Field(description="Names it in paths.")
    title: json_types.Title = Field(description="One line; may be empty.")
    owner: Identity = Field(description="Who captured it, and whose quota pays.")
    right: Annotated[str, json_types.only(*_RIGHTS.values())] = Field(
        description="What the caller may do; each includes those before it: `read` it; `ask` its "
        "owner to delete it; `close` it; `delete` it; `change` it as its owner may."
    )
    sharer: Identity = Field(description="Whose screen it shows.", serialization_alias="shared_by")
    buffer_id: Id = Field(
        description="The share that it was cut from, which may be gone since.",
        serialization_alias="buffer",
    )
    trimmed_from: Id | None = Field(
        description="The clip that it is a part of, which may be gone since; null: of none.",
        examples=[None],
    )
    moment_id: MomentId
    room: RoomName
    requested: Requested = Field(description="The window that was asked for.")
    delivered: Delivered = Field(description="The window that the clip shows.")
    gaps: list[ClipGapView] = Field(description="Stretches of the window without a picture.")
    chapters: list[ChapterView] = Field(
        description="What was marked in it, in order: for its owner and admins of the instance, "
        "for others if `link_tells` has `chapters`."
    )
    notes: Notes
    tail_lag_seconds: RoundedSeconds = Field(
        description="How many seconds of the window's end are missing.",
        examples=[0.1],
        serialization_alias="tail_lag",
    )
    hidden_head_seconds: RoundedSeconds = Field(
        description="Media in the file before the first shown picture, which players skip. Others "
        "than the owner get a copy without it.",
        examples=[0.0],
    )
    preparing: bool = Field(
        description="Others wait for their copy, some seconds: until it is there, the size is that "
        "of the clip itself, and the URL of the bytes answers them 503 `preparing`."
    )
    audio: HasAudio
    width: Pixels = Field(description="Of the picture.")
    height: Pixels = Field(description="Of the picture.")
    cut: CutWord
    clock: ClockWord
    visibility: Annotated[str, words(Visibility)] = Field(
        description="Who may see it besides its owner."
    )
    closed_by: Identity | None = Field(
        description="Who has closed it: it stays private until they let it be opened again.",
        examples=[None],
    )
    deletion_request: DeletionRequestView | None = Field(
        description="Its owner is asked to delete it; they and who asks see it.", examples=[None]
    )
    link_url: Annotated[str, Told(format="uri")] | None = Field(
        description="Reads the bytes, whoever has it. Owners and admins see it; null without one.",
        examples=["https://replay.example.com/v1/files/5f0c2d9e8b7a4c31d2e6f902?link=Zm9v"],
    )
    page_url: Annotated[str, Told(format="uri")] | None = Field(
        description="A page to send to people, who watch it there: as `link_url`, which ends with "
        "it.",
        examples=["https://replay.example.com/c/Zm9v"],
    )
    link_expires_at: InstantText | None = Field(description="When the link ends.")
    link_tells: list[Annotated[str, words(LinkFact)]] = Field(
        description="What that page tells besides the title. `chapters` others are shown in "
        "lists, too."
    )
    views: Annotated[int, Field(ge=0)] | None = Field(
        description="How often the link's page was looked at; its owner sees it.", examples=[3]
    )
    keep: bool = Field(description="Whether it stays until somebody deletes it.")
    size_bytes: ByteCount = Field(description="Of the file.", serialization_alias="size")
    checksum: Annotated[str, Told(pattern="^sha256:[0-9a-f]{64}$")] | None = Field(
        description="SHA-256 of the file; null for some seconds after it was made.",
        examples=["sha256:" + "0123456789abcdef" * 4],
    )
    file_id: Id = Field(description="Names the file in `/v1/files/{file_id}`.")
    file_url: MediaUrl = Field(description="Reads the bytes.", serialization_alias="url")
    download_url: MediaUrl = Field(description="The same bytes, to be saved under its name.")
    poster_url: MediaUrl = Field(description="A picture of it.", serialization_alias="poster")
    thumbnails_url: MediaUrl = Field(
        description="WebVTT that finds a picture for each key frame.",
        serialization_alias="thumbnails",
    )
    created_at: InstantText = Field(description="When it was captured.")
    expires_at: InstantText | None = Field(
        description="When it is deleted by itself; null: never.", examples=[None]
    )
    deleted_at: InstantText | None = Field(
        description="When it was deleted; only in lists of those that can be restored.",
        examples=[None],
    )


class ClipPage(View):
    """A page of clips."""

    items: list[ClipView] = Field(description="Newest first, unless `sort` says otherwise.")
    next: NextPage


def media_url(row: ClipRow, reader: Reader, path: str, **query: str) -> str:
    """A URL of a clip's bytes or pictures. Others' ends with the next change of who may see it."""
    granted = {} if _owns(row, reader) else {"grant": str(row["grant"])}
    return reader.url(path, **query, **granted)


def _owns(row: ClipRow, reader: Reader) -> bool:
    return reader.caller is not None and reader.caller.identity == row["owner"]


async def view(ctx: Context, caller: Caller, reader: Reader, clip: Clip) -> ClipView:
    """A clip as the caller, who may see it, is shown it. `reader`: the same caller."""
    return (await views(ctx, caller, reader, [clip]))[0]


async def views(
    ctx: Context, caller: Caller, reader: Reader, clips: Sequence[Clip]
) -> list[ClipView]:
    """Clips as the caller, who may see them, is shown them. `reader`: the same caller."""
    rights = await clip_access.rights(ctx, caller, [clip.row for clip in clips])
    return [_view(clip, caller, reader, right) for clip, right in zip(clips, rights, strict=True)]


def _view(clip: Clip, caller: Caller, reader: Reader, right: ClipRight) -> ClipView:
    row, file = clip.row, clip.file
    request = row["deletion_request"]
    if request is not None and not (
        right == ClipRight.CHANGE or request["requested_by"] == caller.identity
    ):
        request = None
    path = f"/files/{file['_id']}"
    shown = policy.may_see_link(caller, row["owner"])
    link = row["link_secret"] if shown else None
    copied = not _owns(row, reader) and clean_copies.is_replaced(row)
    return ClipView(
        id=row["_id"],
        title=row["title"],
        owner=row["owner"],
        right=_RIGHTS[max(right, ClipRight.READ)],
        sharer=row["shared_by"],
        buffer_id=row["buffer_id"],
        trimmed_from=row["trimmed_from"],
        moment_id=row["moment_id"],
        room=row["room"],
        requested=Requested(start=row["requested_start"], end=row["requested_end"]),
        delivered=Delivered(
            start=play_time.begin(row),
            end=row["delivered_end"] or row["requested_end"],
            duration_seconds=row["duration_seconds"],
        ),
        gaps=[ClipGapView.model_validate(gap) for gap in row["gaps"]],
        chapters=[
            ChapterView.model_validate(each)
            for each in row["chapters"]
            if right == ClipRight.CHANGE or LinkFact.CHAPTERS in row["link_tells"]
        ],
        notes=[*row["notes"]],
        tail_lag_seconds=row["tail_lag_seconds"],
        hidden_head_seconds=0.0 if copied else row["hidden_head_seconds"],
        preparing=clean_copies.is_due(row),
        audio=row["audio"],
        width=row["width"],
        height=row["height"],
        cut=row["cut"],
        clock=row["clock"],
        visibility=row["visibility"],
        closed_by=row["closed_by"],
        deletion_request=request and DeletionRequestView.model_validate(request),
        link_url=f"{reader.base_url}{versions.current(path)}?link={link}" if link else None,
        page_url=f"{reader.base_url}{page_path(link)}" if link else None,
        link_expires_at=row["link_expires_at"] if link else None,
        link_tells=[*row["link_tells"]],
        views=row["views"] if shown else None,
        keep=row["keep"],
        size_bytes=clean_copies.size_for_others(clip) if copied else file["size_bytes"],
        checksum=row["clean_checksum"] if copied else file["checksum"],
        file_id=file["_id"],
        file_url=media_url(row, reader, path),
        download_url=media_url(row, reader, path, download="1"),
        poster_url=media_url(row, reader, f"/clips/{row['_id']}/poster.jpg"),
        thumbnails_url=media_url(row, reader, f"/clips/{row['_id']}/thumbnails.vtt"),
        created_at=row["created_at"],
        expires_at=None if row["keep"] else row["expires_at"],
        deleted_at=row["deleted_at"],
    )
