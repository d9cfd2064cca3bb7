"""Deleting clips, taking that back, asking for it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator
from starlette.routing import BaseRoute

from app.api import clip_views
from app.api.call import Call
from app.api.clip_views import ClipView
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import Input
from app.buffer import refused_shares
from app.clips import library, objections, trash
from app.errors import Conflict, Gone, Invalid, NotFound, NotPermitted, QuotaExceeded
from app.models import Why
from app.models.free_text import TITLE_LENGTH, checked_title

_CLIP = {HTTPStatus.OK: Answer("The clip.")}


class DeleteQuery(Input):
    """Whether a deleted clip rests."""

    purge: bool = Field(
        False,
        description="For good: it does not rest, and one that does is removed, within seconds.",
    )


@endpoint(
    "DELETE /clips/{clip_id}",
    "Delete a clip",
    description="It is hidden and its quota freed at once. It rests for TRASH_DAYS at most, for "
    "less while the disk is getting full or its owner's deleted clips take more than their quota "
    f"or are more than {trash.MOST}. "
    "It can be restored as long as it rests; then its file goes. Its owner may let it rest with a "
    "token for any room. Whom a clip of somebody else's "
    "shows, and admins of its room, delete it for good, as far as `sharer_rights` let them. What "
    "others than its owner delete for good goes with all that was trimmed from it.",
    answers={HTTPStatus.NO_CONTENT: Answer("It is deleted.")},
    problems=[NotFound, NotPermitted],
    kept=Kept.CHANGE,
)
async def delete_clip(call: Call[DeleteQuery]) -> None:
    """Hides a clip, and asks again for what waits for its owner's quota."""
    purge = call.input.purge
    owner = await library.delete(call.ctx, call.caller, call.path["clip_id"], purge=purge)
    await refused_shares.ask_again(call.ctx, {"identity": owner, "why": Why.QUOTA})


class ClipRestoreRequest(Input):
    """What becomes of a trim of the clip."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"in_place_of": "5f0c2d9e8b7a4c31d2e6f902"}]}
    )

    in_place_of: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="A trim of it, which is deleted: the clip takes its place, with its link. So a "
        "trim `in_place` is taken back.",
        examples=["5f0c2d9e8b7a4c31d2e6f902"],
    )


@endpoint(
    "POST /clips/{clip_id}/restore",
    "Take a DELETE back",
    description="As long as the clip rests; it is charged again.",
    answers=_CLIP,
    problems=[Conflict, Invalid, NotFound, NotPermitted, Gone, QuotaExceeded],
    body_may_be_empty=True,
    kept=Kept.CHANGE,
)
async def restore_clip(call: Call[ClipRestoreRequest]) -> ClipView:
    """Shows a deleted clip again."""
    clip_id, trim_id = call.path["clip_id"], call.input.in_place_of
    clip = await library.restore(call.ctx, call.caller, clip_id, in_place_of=trim_id)
    return await clip_views.view(call.ctx, call.caller, call.reader, clip)


class ClipDeletionRequest(Input):
    """Why the clip shall be deleted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It shows a password"}]})

    reason: str = Field(
        "",
        description=f"One line, at most {TITLE_LENGTH} characters, which its owner reads.",
        examples=["It shows a password"],
    )

    @field_validator("reason")
    @classmethod
    def _reason(cls, value: str) -> str:
        return checked_title(value)


@endpoint(
    "POST /clips/{clip_id}/request-deletion",
    "Ask a clip's owner to delete it",
    description="For whom a clip of somebody else's shows, once it was opened, and for admins of "
    "its room. Its owner hears of it by the event `deletion_requested`, once from each who asks.",
    answers=_CLIP,
    problems=[NotFound, NotPermitted],
    body_may_be_empty=True,
    kept=Kept.CHANGE,
)
async def request_clip_deletion(call: Call[ClipDeletionRequest]) -> ClipView:
    """Asks for the deletion of a clip; the newest request stands in it."""
    clip = await objections.request_deletion(
        call.ctx, call.caller, call.path["clip_id"], call.input.reason
    )
    return await clip_views.view(call.ctx, call.caller, call.reader, clip)


routes: list[BaseRoute] = [delete_clip, restore_clip, request_clip_deletion]
