"""With whose requests a call is counted: those that are worked on, and media that is sent."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from app.api import auth, media_under_way
from app.api.call import Call
from app.api.media_under_way import MediaBounds
from app.api.token_buckets import Cost


def place(call: Call[None], cost: Cost) -> AbstractAsyncContextManager[None]:
    """The user's place among their own; of those who show no name, that of their address.

    Whoever has URLs that were made for one user share places, one address after another.
    """
    in_flight = call.state.in_flight
    if call.shown is None:
        return in_flight.nameless_place(cost, call.address, _link(call))
    return in_flight.place(cost, call.user, call.address if call.is_signed else None)


def media(call: Call[None], cost: Cost) -> MediaBounds:
    """How much like it may be sent at once; of what is no media any number."""
    if cost is not Cost.MEDIA:
        return {}
    if call.shown is None:
        return media_under_way.of_link(_link(call), call.address)
    if call.is_signed:
        return media_under_way.of_url(call.user, call.address)
    return media_under_way.of_user(call.user)


def _link(call: Call[None]) -> str | None:
    """The secret of the link that a request follows."""
    return auth.link(call.request) or call.path.get("secret")
