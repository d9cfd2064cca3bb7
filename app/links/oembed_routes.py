"""What pages ask that unfurl or embed a clip's link: /oembed, as https://oembed.com says."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import ConfigDict, Field
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.api import file_routes
from app.api.call import Call
from app.api.json_types import Told
from app.api.operation import Answer, endpoint
from app.api.wire import LooseQuery, View
from app.clips import sharing
from app.clips.clip_visibility import PAGES
from app.errors import Gone, Invalid, NotFound, Unavailable
from app.links import link_page
from app.links.link_page import LinkPage

_LONGEST = 2048
_Pixels = Annotated[int, Field(ge=1, le=100_000)]
Address = Annotated[str, Told(format="uri"), Field(examples=["https://replay.example.com/"])]


class OembedQuery(LooseQuery):
    """Which page. Consumers add words of their own."""

    url: Annotated[str, Field(max_length=_LONGEST)] = Field(
        description="The page of a clip's link: its `page_url`.",
        examples=["https://replay.example.com/c/q3Zk9yB1mX7uQm0c5dHn2wRt8vLs4pAe"],
    )
    format: Literal["json"] = Field("json", description="There is no XML.")
    maxwidth: _Pixels | None = Field(
        None, description="The player is no wider, in pixels.", examples=[640]
    )
    maxheight: _Pixels | None = Field(None, description="Nor is it higher.", examples=[360])


class OembedView(View):
    """A link as oEmbed 1.0 describes it: a `video` where others may embed it, else a `link`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: Literal["video", "link"] = Field(description="A `video` has `html`.")
    version: Literal["1.0"] = Field(default="1.0", description="Of oEmbed.")
    title: str = Field(description="That of the clip.", examples=["Goal"])
    provider_name: str = Field(description="This service.", examples=["Replay"])
    provider_url: Address = Field(description="Where it is.")
    author_name: str | None = Field(
        None, description="Who captured it, where its owner lets.", examples=["alice"]
    )
    thumbnail_url: Address | None = Field(None, description="A picture of it.")
    thumbnail_width: _Pixels | None = Field(None, description="In pixels.", examples=[1280])
    thumbnail_height: _Pixels | None = Field(None, description="In pixels.", examples=[720])
    html: str | None = Field(
        None,
        description="The player, as a frame.",
        examples=['<iframe src="https://replay.example.com/c/q3Zk/embed"></iframe>'],
    )
    width: _Pixels | None = Field(None, description="Of the player, in pixels.", examples=[640])
    height: _Pixels | None = Field(None, description="Of the player, in pixels.", examples=[360])


@endpoint(
    "GET /oembed",
    "What a clip's link shows, as oEmbed",
    description="Of our own pages only.",
    answers={HTTPStatus.OK: Answer("As oEmbed 1.0.", OembedView)},
    problems=[NotFound, Gone, Invalid, Unavailable],
    access="anybody",
)
async def get_oembed(call: Call[OembedQuery]) -> Response:
    """Describes a clip's link as oEmbed does, in JSON."""
    given, settings = call.input, call.ctx.settings
    secret, start = _page_in(given.url, settings.base_url)
    page = link_page.page_of(
        await sharing.clip_by_link(call.ctx, secret, call.now),
        settings.base_url,
        secret,
        start=start,
        embedding=bool(settings.embed_origins),
    )
    view = _view(page, settings.base_url, given.maxwidth, given.maxheight)
    content = view.model_dump_json(exclude_none=True)
    return Response(content, headers=file_routes.TO_ANYBODY, media_type="application/json")


def _page_in(url: str, base_url: str) -> tuple[str, str | None]:
    """The secret in the URL of a page of ours, and what stands behind its `t=`. Raises NotFound."""
    ours = f"{base_url}{PAGES}"
    try:
        split = urlsplit(url)
        start = parse_qs(split.query, max_num_fields=100).get("t", [None])[0]
    except ValueError as error:
        raise NotFound("url is no URL: give the page_url of a clip") from error
    plain = f"{split.scheme}://{split.netloc}{split.path}"
    if not plain.startswith(ours):
        raise NotFound(f"url is no page of this service: those begin with {ours}")
    return plain.removeprefix(ours).removesuffix("/embed"), start


def _view(page: LinkPage, base_url: str, maxwidth: int | None, maxheight: int | None) -> OembedView:
    most = (maxwidth or page.width, maxheight or page.height)
    width, height = _within(page.width, page.height, most)
    picture = page.poster_size
    shows = picture[0] <= (maxwidth or picture[0]) and picture[1] <= (maxheight or picture[1])
    embeds = page.embedding
    return OembedView(
        type="video" if embeds else "link",
        title=page.title,
        provider_name=link_page.SITE,
        provider_url=base_url,
        author_name=page.made_by or page.shared_by,
        thumbnail_url=page.poster if shows else None,
        thumbnail_width=picture[0] if shows else None,
        thumbnail_height=picture[1] if shows else None,
        html=link_page.frame_html(page, width, height) if embeds else None,
        width=width if embeds else None,
        height=height if embeds else None,
    )


def _within(width: int, height: int, most: tuple[int, int]) -> tuple[int, int]:
    """A size made smaller, if it is too large, in the same proportion."""
    scale = min(1.0, most[0] / width, most[1] / height)
    return max(1, int(width * scale)), max(1, int(height * scale))


routes: list[BaseRoute] = [get_oembed]
