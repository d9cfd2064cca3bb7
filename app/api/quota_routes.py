"""Quotas: /quota of the caller and what takes it, /users/{identity}/quota for administrators."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import ConfigDict, Field
from starlette.routing import BaseRoute

from app.access import admin_deeds, management, quota
from app.api import gates, json_types
from app.api.call import Call
from app.api.json_types import (
    ByteCount,
    Cursor,
    Id,
    InstantText,
    NextPage,
    PageSize,
    RoomName,
    RoundedSeconds,
)
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import Input, View
from app.buffer import refused_shares
from app.clips import clip_sizes
from app.clips.clip_pages import Clip, Wanted
from app.context import Context
from app.errors import Invalid, NotFound
from app.models import Why
from app.settings.ceilings import check_ceilings
from app.settings.values import QuotaBytes

QuotaBytesShown = Annotated[
    ByteCount, Field(description="How many bytes their clips may take.", examples=[5 * 2**30])
]
UsedBytes = Annotated[ByteCount, Field(description="How many their clips take.")]
ReservedBytes = Annotated[
    ByteCount, Field(description="How many captures on their way hold.", examples=[0])
]
OwnQuota = Annotated[
    bool, Field(description="Whether it was set for them alone; else it is QUOTA_BYTES.")
]


class QuotaView(View):
    """A user's quota, and what of it is used."""

    quota_bytes: QuotaBytesShown
    own: OwnQuota
    used_bytes: UsedBytes
    reserved_bytes: ReservedBytes


class QuotaRequest(Input):
    """What a user's quota shall be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"quota_bytes": 10 * 2**30}, {"quota_bytes": None}]}
    )

    quota_bytes: Annotated[QuotaBytes, Field(strict=True)] | None = Field(
        description="How many bytes their clips may take; null: QUOTA_BYTES again.",
        examples=[10 * 2**30],
    )


async def _view(ctx: Context, identity: str) -> QuotaView:
    return QuotaView.model_validate(await quota.read(ctx.store, ctx.settings, identity))


@endpoint(
    "GET /quota",
    "My quota",
    description="How many bytes the caller's clips may take, and how many they do.",
    answers={HTTPStatus.OK: Answer("The caller's numbers.")},
)
async def get_quota(call: Call[None]) -> QuotaView:
    """Gives the caller's own quota."""
    return await _view(call.ctx, call.caller.identity)


class ChargedQuery(Input):
    """Which of them."""

    limit: PageSize = 50
    next: Cursor = None


class ChargedClipView(View):
    """A clip, as far as it matters for its owner's quota."""

    id: Id = Field(description="Names it in paths.")
    title: json_types.Title = Field(description="One line; may be empty.")
    room: RoomName
    duration_seconds: RoundedSeconds = Field(description="How long it plays.")
    size_bytes: ByteCount = Field(description="Of its file.")
    created_at: InstantText = Field(description="When it was captured.")


class ChargedPage(View):
    """A page of clips."""

    items: list[ChargedClipView] = Field(
        description="Largest first. A page may hold fewer than `limit`, or none, and still have a "
        "`next`."
    )
    next: NextPage


@endpoint(
    "GET /quota/clips",
    "What takes my quota",
    description="The caller's own clips of all rooms, whichever their token is for. Those of other "
    "rooms are shown to nobody by this; `DELETE /clips/{clip_id}` lets them rest all the same.",
    answers={HTTPStatus.OK: Answer("A page of clips.")},
    problems=[Invalid],
)
async def list_charged_clips(call: Call[ChargedQuery]) -> ChargedPage:
    """Lists the clips that the caller's quota goes for."""
    given, owner = call.input, call.caller.identity
    page = await clip_sizes.page(call.ctx, owner, Wanted(), limit=given.limit, after=given.next)
    return ChargedPage(items=[_charged(clip) for clip in page.items], next=page.next)


def _charged(clip: Clip) -> ChargedClipView:
    row = clip.row
    return ChargedClipView(
        id=row["_id"],
        title=row["title"],
        room=row["room"],
        duration_seconds=row["duration_seconds"],
        size_bytes=clip.file["size_bytes"],
        created_at=row["created_at"],
    )


@endpoint(
    "GET /users/{identity}/quota",
    "A user's quota",
    description="For admins of the instance.",
    answers={HTTPStatus.OK: Answer("The user's numbers.")},
    problems=[NotFound, Invalid],
    may=gates.admins,
)
async def get_user_quota(call: Call[None]) -> QuotaView:
    """Gives any user's quota."""
    return await _view(call.ctx, call.name("identity"))


@endpoint(
    "PUT /users/{identity}/quota",
    "Set a user's quota",
    description="Below what is used, new captures are refused and nothing is deleted. Nobody sets "
    "their own; none exceeds QUOTA_BYTES_TOP (422 with `ceiling`).",
    answers={HTTPStatus.OK: Answer("The user's numbers now.")},
    problems=[NotFound, Invalid],
    may=gates.admins,
    kept=Kept.RULE,
)
async def set_user_quota(call: Call[QuotaRequest]) -> QuotaView:
    """Sets a user's quota, or gives them the instance's."""
    ctx, identity, quota_bytes = call.ctx, call.name("identity"), call.input.quota_bytes
    management.check_anothers(call.caller, identity)
    check_ceilings(ctx.settings, quota_bytes=quota_bytes)
    await admin_deeds.set_quota(ctx.store, call.caller.identity, identity, quota_bytes)
    await refused_shares.ask_again(ctx, {"identity": identity, "why": Why.QUOTA})
    return await _view(ctx, identity)


routes: list[BaseRoute] = [get_quota, list_charged_clips, get_user_quota, set_user_quota]
