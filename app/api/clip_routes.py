"""The clips that people keep: /clips."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import ConfigDict, Field, field_validator, model_validator
from starlette.routing import BaseRoute

from app.api import clip_views
from app.api.call import Call
from app.api.clip_views import ClipPage, ClipView
from app.api.json_types import Cursor, PageSize
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Kept
from app.api.wire import Input
from app.clips import clip_pages, clip_sizes, library, objections
from app.clips.clip_pages import Clip, Wanted
from app.clips.clip_visibility import NoPublicUrl
from app.errors import Conflict, Invalid, NotFound, NotPermitted
from app.models import ClipOrder, LinkFact, Visibility
from app.models.free_text import TITLE_LENGTH, checked_title
from app.models.input_types import Instant, Name
from app.settings.values import LinkDays


class ClipQuery(Input):
    """Which clips."""

    room: Name | None = Field(None, description="Only of this room.")
    owner: Name | None = Field(None, description="Only of this owner.", examples=["alice"])
    since: Instant | None = Field(None, description="Only made at this time or later.")
    until: Instant | None = Field(None, description="Only made before this time.")
    title: Annotated[str, Field(min_length=1, max_length=TITLE_LENGTH)] | None = Field(
        None,
        description="Only with this in their title, in upper or lower case. A page may then hold "
        "fewer than `limit`, or none, and still have a `next`.",
        examples=["goal"],
    )
    sharer: Name | None = Field(
        None,
        description="Only of this person's screen. Pages are as with `title`.",
        examples=["alice"],
        alias="shared_by",
    )
    others: bool = Field(
        False, description="Only those that others have captured. Pages are as with `title`."
    )
    visibility: Visibility | None = Field(
        None,
        description="Only those that are open to no one else, to their room, or by a link. "
        "Pages are as with `title`.",
    )
    moment_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Only those that were captured together under this id.",
        examples=["5f0c2d9e8b7a4c31d2e6f903"],
    )
    deleted: bool = Field(
        False,
        description="Those that were deleted and can be restored: the caller's own, of an instance "
        "admin everybody's. Their bytes are 410.",
    )
    sort: ClipOrder = Field(
        ClipOrder.NEWEST,
        description="Which come first. `largest`: of the caller's own, of an instance admin of "
        "everybody's. Pages are as with `title`. `next` goes on in the order that it came of.",
    )
    limit: PageSize = 50
    next: Cursor = None


class ClipChange(Input):
    """What shall change; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "That goal"}, {"visibility": Visibility.LINK, "link_days": 7}]
        }
    )

    title: str | None = Field(
        None,
        description=f"One line, at most {TITLE_LENGTH} characters.",
        examples=["That goal"],
    )
    visibility: Visibility | None = Field(
        None,
        description="`room`: who was in the room; `link`: who has its `link_url`. What is revoked "
        "ends at once; a new link is another one.",
    )
    link_days: Annotated[LinkDays, Field(strict=True)] | None = Field(
        None,
        description="How long a link holds; default: LINK_DAYS. Only with `visibility: link`.",
        examples=[7],
    )
    link_tells: Annotated[list[LinkFact], Field(max_length=len(LinkFact))] | None = Field(
        None,
        description="What the link's page tells besides the title. Who and when, unless you say. "
        "The film itself bears the time of its first picture all the same.",
    )
    share_hidden_head: Annotated[bool, Field(strict=True)] | None = Field(
        None,
        description="true: others get the clip's own file at once, with its `hidden_head_seconds`, "
        "as long as it is open as it is then. false: they get a copy without them, from now on.",
    )
    keep: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="Kept clips do not expire."
    )
    closed: Annotated[bool, Field(strict=True)] | None = Field(
        None,
        description="Of somebody else's clip, alone: true makes it private, and keeps its owner "
        "from opening or posting it; false takes that back. For whom it shows and admins of its "
        "room, as far as its community's `sharer_rights` go.",
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

    @model_validator(mode="after")
    def _closed_alone(self) -> ClipChange:
        if self.closed is not None and len(self.model_fields_set) > 1:
            raise ValueError("closed is for others than the owner: give nothing else with it")
        return self


_CLIP = {HTTPStatus.OK: Answer("The clip.")}


@endpoint(
    "GET /clips",
    "My clips",
    description="The caller's own clips, those that others have opened to them, and opened ones of "
    "their screen; of a room's admin those that were opened in it.",
    answers={HTTPStatus.OK: Answer("A page of clips.")},
    problems=[Invalid],
)
async def list_clips(call: Call[ClipQuery]) -> ClipPage:
    """Lists the clips that the caller may see, a page at a time."""
    given = call.input
    wanted = Wanted(
        room=given.room,
        owner=given.owner,
        since=given.since,
        until=given.until,
        title=given.title,
        shared_by=given.sharer,
        visibility=given.visibility,
        moment_id=given.moment_id,
        deleted=given.deleted,
        but_of=call.caller.identity if given.others else None,
        order=given.sort,
    )
    page_of = clip_sizes.seen_page if given.sort == ClipOrder.LARGEST else clip_pages.page
    page = await page_of(call.ctx, call.caller, wanted, limit=given.limit, after=given.next)
    items = await clip_views.views(call.ctx, call.caller, call.reader, page.items)
    return ClipPage(items=items, next=page.next)


@endpoint(
    "GET /clips/{clip_id}",
    "One clip",
    description="Its owner, the admins of the instance, and those to whom it is open see it.",
    answers=_CLIP,
    problems=[NotFound],
)
async def get_clip(call: Call[None]) -> ClipView:
    """Gives one clip as the caller may see it."""
    return await _view(call, await library.find(call.ctx, call.caller, call.path["clip_id"]))


async def _view(call: Call[Any], clip: Clip) -> ClipView:
    return await clip_views.view(call.ctx, call.caller, call.reader, clip)


@endpoint(
    "PATCH /clips/{clip_id}",
    "Change a clip",
    description="For its owner and the admins of the instance; `closed`, for others. Another "
    "`visibility` ends the URLs that others were given.",
    answers=_CLIP,
    problems=[Conflict, NotFound, NotPermitted, NoPublicUrl],
    kept=Kept.CHANGE,
)
async def change_clip(call: Call[ClipChange]) -> ClipView:
    """Sets the fields of a clip that are given, or closes it, or opens it again."""
    ctx, caller, given, clip_id = call.ctx, call.caller, call.input, call.path["clip_id"]
    if given.closed is not None:
        act = objections.close if given.closed else objections.reopen
        return await _view(call, await act(ctx, caller, clip_id))
    clip = await library.change(
        ctx,
        caller,
        clip_id,
        given.model_dump(exclude_none=True, include={"title", "visibility", "link_tells", "keep"}),
        link_days=given.link_days,
        hidden_head=given.share_hidden_head,
    )
    return await _view(call, clip)


routes: list[BaseRoute] = [
    list_clips,
    get_clip,
    change_clip,
]
