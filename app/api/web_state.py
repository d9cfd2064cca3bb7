"""What the web application holds while it runs, as each request finds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from app.api.capture_looks import CaptureLooks
from app.api.event_streams import StreamSlots
from app.api.in_flight import InFlight
from app.api.known_generations import KnownGenerations
from app.api.link_views import LinkViews
from app.api.media_under_way import MediaUnderWay
from app.api.open_files import OpenFiles
from app.api.token_buckets import Rates
from app.condition.checkup import Checkup
from app.condition.exposition import Exposition
from app.condition.health import Readiness
from app.condition.outcomes import Outcomes
from app.context import Context
from app.viewing.buffer_thumbnails import Thumbnails
from app.viewing.drawing import Drawing
from app.viewing.looks import Looks
from app.viewing.served_movies import Replays
from app.work.parties import LONGEST


@dataclass(frozen=True)
class WebState:
    """The process's context, and what its requests share."""

    ctx: Context
    exposition: Exposition
    readiness: Readiness
    checkup: Checkup
    outcomes: Outcomes
    replays: Replays
    stream_slots: StreamSlots
    rates: Rates
    in_flight: InFlight
    media: MediaUnderWay
    link_views: LinkViews
    looks: Looks
    capture_looks: CaptureLooks
    drawing: Drawing
    thumbnails: Thumbnails
    generations: KnownGenerations
    open_files: OpenFiles

    @property
    def clips_origin(self) -> str | None:
        """Where else than here the films of clips are read from."""
        return None if self.ctx.settings.clips_proxy else self.ctx.clips.origin


@asynccontextmanager
async def opened(ctx: Context) -> AsyncIterator[WebState]:
    """The state of an application on a context, until the block ends."""
    drawing = Drawing()
    state = WebState(
        ctx=ctx,
        exposition=Exposition(ctx),
        readiness=Readiness(ctx),
        checkup=Checkup(ctx.settings),
        outcomes=Outcomes(ctx),
        replays=Replays(ctx),
        stream_slots=StreamSlots(ctx.queue, ctx.settings.streams_per_user),
        in_flight=InFlight(),
        media=MediaUnderWay(),
        link_views=LinkViews(),
        rates=Rates(ctx.settings.requests_per_minute),
        looks=Looks(ctx),
        capture_looks=CaptureLooks(ctx),
        drawing=drawing,
        thumbnails=Thumbnails(ctx, drawing),
        generations=KnownGenerations(ctx),
        open_files=OpenFiles(ctx),
    )
    try:
        yield state
    finally:
        await state.looks.close()
        await state.capture_looks.close()
        await state.drawing.close()


def of(request: Request) -> WebState:
    """The state that the application's lifespan gives each request."""
    state: WebState = request.state.web
    return state


def peer(request: Request) -> str:
    """The address that a request came from, as a trusted proxy tells it; empty if unknown.

    Not longer than any address is, whatever the proxy tells.
    """
    return request.client.host[:LONGEST] if request.client else ""
