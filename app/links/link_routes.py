"""The page of a clip's link and what belongs to it: /c/{secret}."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus

from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.api import file_routes, link_views, ranges, thumbnail_routes, web_state
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Cost
from app.api.wire import LooseQuery
from app.clips import clip_thumbnails, sharing
from app.clips.clip_visibility import PAGES
from app.clips.sharing import LinkExpired
from app.errors import Gone, NotFound, ReplayError, StorageFull, Unavailable
from app.links import link_page
from app.links.link_page import LinkPage
from app.work.parties import party

_HTML = "text/html"
_TROUBLE: dict[type[ReplayError], tuple[str, str]] = {
    NotFound: (
        "This link doesn't work",
        "It may have been turned off, or the address may be incomplete. "
        "Ask whoever sent it for a new one.",
    ),
    LinkExpired: ("This link has expired", "Ask whoever sent it for a new one."),
    Gone: ("This clip was deleted", "There is nothing to watch here any more."),
}

_endpoint = partial(endpoint, access="anybody")


class LinkQuery(LooseQuery):
    """How a link's page begins."""

    t: str | None = Field(
        None,
        description="Where the film begins: seconds, or a text such as `1m30s`. What is neither is "
        "not looked at.",
        examples=["1m30s"],
    )


@_endpoint(
    "GET /c/{secret}",
    "The page of a clip's link",
    description="Where people watch the clip; chats unfurl it. Browsers get 404 and 410 as pages, "
    "too.",
    answers={HTTPStatus.OK: Answer("The page.", media_type=_HTML)},
    problems=[NotFound, Gone, Unavailable],
)
async def get_link_page(call: Call[LinkQuery]) -> Response:
    """Gives the page of a clip's link, as HTML without script."""

    async def page() -> Response:
        content = link_page.page_html(await _page(call))
        return _html(content, clips_origin=call.state.clips_origin)

    return await _kindly(call.request, "..", page)


@_endpoint(
    "GET /c/{secret}/embed",
    "The player of a clip's link, for within other pages",
    description="Those of EMBED_ORIGINS.",
    answers={HTTPStatus.OK: Answer("The player.", media_type=_HTML)},
    problems=[NotFound, Gone, Unavailable],
)
async def get_link_player(call: Call[LinkQuery]) -> Response:
    """Gives the player of a clip's link, as HTML without script."""
    framed_by = call.ctx.settings.embed_origins

    async def player() -> Response:
        content = link_page.embedded_html(await _page(call))
        return _html(content, framed_by=framed_by, clips_origin=call.state.clips_origin)

    return await _kindly(call.request, "../..", player, framed_by)


@_endpoint(
    "GET /c/{secret}/poster.jpg",
    "The picture of a clip's link",
    description="What its page and chats show before it plays. 503 if it is not drawn within 3 s: "
    "drawing goes on.",
    answers={
        HTTPStatus.OK: Answer(
            "The picture.", media_type="image/jpeg", headers={"ETag": "Made of the content."}
        ),
        HTTPStatus.PARTIAL_CONTENT: Answer("The range asked for.", media_type="image/jpeg"),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    },
    problems=[
        NotFound,
        Gone,
        StorageFull,
        Unavailable,
        *ranges.PROBLEMS,
    ],
    cost=Cost.POSTER,
)
async def get_link_poster(call: Call[None]) -> Response:
    """Serves the poster of a link's clip."""
    clip = await sharing.clip_by_link(call.ctx, call.path["secret"], call.now)
    user = f"link {party(web_state.peer(call.request))}"
    path = await clip_thumbnails.poster(
        call.ctx, call.state.drawing, clip.row, clip.file, user, is_prompt=True
    )
    return await thumbnail_routes.picture(call.request, path, file_routes.TO_ANYBODY)


async def get_nothing(request: Request) -> Response:
    """GET of any other path below: what is left of an address that was cut, or has grown."""

    async def nothing() -> Response:
        raise NotFound(sharing.NO_LINK)

    return await _kindly(request, "..", nothing)


async def _page(call: Call[LinkQuery]) -> LinkPage:
    """The page that the request's secret opens, whose view is counted. Raises NotFound, Gone."""
    settings, secret = call.ctx.settings, call.path["secret"]
    clip = await sharing.clip_by_link(call.ctx, secret, call.now)
    by_tls = settings.base_url.startswith("https:")
    if link_views.is_look(call.request, by_tls=by_tls) and call.state.link_views.counts(
        clip.row["_id"], web_state.peer(call.request)
    ):
        await sharing.count_view(call.ctx, clip.row["_id"])
    return link_page.page_of(
        clip,
        settings.base_url,
        secret,
        start=call.input.t,
        embedding=bool(settings.embed_origins),
    )


async def _kindly(
    request: Request,
    root: str,
    make: Callable[[], Awaitable[Response]],
    framed_by: tuple[str, ...] = (),
) -> Response:
    """The answer that is made; where there is no clip, a page for people, a problem for others."""
    try:
        return await make()
    except (NotFound, Gone) as error:
        if _HTML not in request.headers.get("accept", ""):
            raise
        content = link_page.trouble_html(*_TROUBLE[type(error)], root)
        return _html(content, HTTPStatus(error.status), framed_by)


def _html(
    content: str,
    status: HTTPStatus = HTTPStatus.OK,
    framed_by: tuple[str, ...] = (),
    clips_origin: str | None = None,
) -> Response:
    headers = link_page.headers(framed_by, clips_origin) | {"Vary": "Accept"}
    return HTMLResponse(content, status, headers)


routes: list[BaseRoute] = [
    get_link_page,
    get_link_player,
    get_link_poster,
    Route(f"{PAGES}{{rest:path}}", get_nothing, methods=["GET"], include_in_schema=False),
]
