"""Clips in other formats: /clips/{clip_id}/renditions."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field
from starlette.routing import BaseRoute

from app.access.policy import ClipRight
from app.api import clip_views, json_types
from app.api.call import Call
from app.api.capture_views import StatusWord
from app.api.json_types import ByteCount, Id, InstantText, MediaUrl, RoundedSeconds, Told
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import View
from app.captures import ended_by_others, renditions
from app.captures.rendition_request import RenditionRequest
from app.clips import clip_access, clip_renditions
from app.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    TooManyCaptures,
    Unavailable,
)
from app.models import CaptureStatus, ClipRow, FailureReason, RenditionFormat, RenditionRow
from app.models.word_schema import words


class RenditionView(View):
    """A clip, or a part of it, in another format."""

    id: Id = Field(description="Names it, and its file in `/v1/files/{file_id}`.")
    clip_id: Id = Field(description="The clip that it is made of, and goes with.")
    format: Annotated[str, words(RenditionFormat)] = Field(description="What it is.")
    start_seconds: RoundedSeconds = Field(
        description="Where it begins in the clip's play time.", examples=[2.5]
    )
    end_seconds: RoundedSeconds = Field(
        description="Where it ends in the clip's play time.", examples=[10.0]
    )
    beside: list[Id] = Field(
        description="Of `mp4-side-by-side`: the other clips that it shows, in its order, the clip "
        "being the first. Whoever sees each of them reads it, and it goes with any of them."
    )
    status: StatusWord
    progress: Annotated[float, Told(minimum=0, maximum=1)] = Field(
        description="How much of it is done.", examples=[0.5]
    )
    reason: Annotated[str, words(FailureReason)] | None = Field(
        description="Why it failed; null if it did not.", examples=[None]
    )
    detail: json_types.Text = Field(description="The same in words.")
    size_bytes: ByteCount | None = Field(description="Of its file; null until it is ready.")
    file_url: MediaUrl | None = Field(description="Reads the bytes; null until it is ready.")
    download_url: MediaUrl | None = Field(description="The same bytes, to be saved.")
    accepted_at: InstantText = Field(description="When it was asked for.")


class RenditionList(View):
    """What there is of a clip in other formats."""

    items: list[RenditionView] = Field(description="Oldest first; 20 at most.")


@endpoint(
    "POST /clips/{clip_id}/renditions",
    "Make a clip in another format",
    description="For its owner, whose quota it takes. It counts as a capture. Whoever sees the "
    "clip reads it, and it goes with the clip. The same again is the one that there is, or that is "
    "being made; of one that failed it is a new one.",
    answers={HTTPStatus.ACCEPTED: Answer("It will be made, or is there.")},
    problems=[
        Conflict,
        Invalid,
        NotFound,
        NotPermitted,
        QuotaExceeded,
        TooManyCaptures,
        Unavailable,
    ],
    kept=Kept.CAPTURE,
)
async def create_rendition(call: Call[RenditionRequest]) -> RenditionView:
    """Accepts a rendition of a clip."""
    clip, row = await renditions.accept(call.ctx, call.caller, call.path["clip_id"], call.input)
    return _view(call, row, [clip])


@endpoint(
    "GET /clips/{clip_id}/renditions",
    "A clip in other formats",
    description="For whoever sees the clip: what there is, and how far is what is being made.",
    answers={HTTPStatus.OK: Answer("Its renditions.")},
    problems=[NotFound],
)
async def list_renditions(call: Call[None]) -> RenditionList:
    """Lists the renditions of a clip."""
    clip = await clip_access.readable(call.ctx, call.caller, call.path["clip_id"])
    items: list[RenditionView] = []
    for row in await clip_renditions.of_clip(call.ctx, clip["_id"]):
        shown = await _seen(call, row, clip)
        items += [_view(call, row, shown)] if shown else []
    return RenditionList(items=items)


@endpoint(
    "DELETE /clips/{clip_id}/renditions/{rendition_id}",
    "Delete a clip in another format",
    description="For the clip's owner and the admins of the instance; also one that is being made. "
    "Its quota is free at once. The clip stays.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is deleted.")},
    problems=[NotFound, NotPermitted],
    kept=Kept.CHANGE,
)
async def delete_rendition(call: Call[None]) -> None:
    """Withdraws a rendition."""
    clip = await clip_access.changeable(call.ctx, call.caller, call.path["clip_id"])
    wanted = call.path["rendition_id"]
    rows = await clip_renditions.of_clip(call.ctx, clip["_id"])
    found = next((row for row in rows if row["_id"] == wanted), None)
    if found is None:
        raise NotFound(clip_renditions.NO_RENDITION)
    await ended_by_others.withdraw(call.ctx, call.caller, clip, found)


async def _seen(call: Call[Any], row: RenditionRow, clip: ClipRow) -> list[ClipRow]:
    """The clips that a rendition of `clip`, which the caller sees, shows; none if the caller does
    not see them all."""
    try:
        shown = await clip_renditions.clips_of(call.ctx, row, clip)
    except NotFound:
        return []
    rights = await clip_access.rights(call.ctx, call.caller, shown)
    is_seen = min(rights) >= ClipRight.READ and all(map(clip_access.is_shown, shown))
    return shown if is_seen else []


def _view(call: Call[Any], row: RenditionRow, shown: Sequence[ClipRow]) -> RenditionView:
    """A rendition that shows some clips, the first of which it is of."""
    path = f"/files/{row['_id']}"
    clip: ClipRow = {**shown[0], "grant": clip_access.grant(shown)}
    file_url = download_url = None
    if row["status"] == CaptureStatus.READY:
        file_url = clip_views.media_url(clip, call.reader, path)
        download_url = clip_views.media_url(clip, call.reader, path, download="1")
    return RenditionView(
        id=row["_id"],
        clip_id=row["clip_id"],
        format=row["format"],
        beside=row["beside"],
        start_seconds=row["start_seconds"],
        end_seconds=row["end_seconds"],
        status=row["status"],
        progress=row["progress"],
        reason=row["reason"],
        detail=row["detail"],
        size_bytes=row["size_bytes"],
        file_url=file_url,
        download_url=download_url,
        accepted_at=row["accepted_at"],
    )


routes: list[BaseRoute] = [create_rendition, list_renditions, delete_rendition]
