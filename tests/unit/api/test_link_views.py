"""Which requests for a link's page are looks, and which looks are views."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from app.api.link_views import PERIOD_SECONDS, LinkViews, is_look

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def request(method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "method": method, "headers": raw})


@pytest.mark.parametrize(
    ("method", "headers", "by_tls", "is_one"),
    [
        ("GET", BROWSER | {"sec_fetch_mode": "navigate"}, True, True),
        ("GET", {"sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}, True, True),
        ("HEAD", BROWSER | {"sec_fetch_mode": "navigate"}, True, False),
        ("GET", BROWSER | {"sec_fetch_mode": "navigate", "sec_purpose": "prefetch"}, True, False),
        ("GET", BROWSER | {"sec_fetch_mode": "no-cors"}, True, False),
        # Mastodon asks for HTML, Slack and Discord for anything.
        ("GET", {"accept": "text/html"}, True, False),
        ("GET", {"accept": "*/*"}, True, False),
        ("GET", BROWSER, False, True),
        ("GET", {"accept": "*/*"}, False, False),
        ("GET", {}, False, False),
    ],
)
def test_a_look_is_a_persons(
    method: str, headers: dict[str, str], by_tls: bool, is_one: bool
) -> None:
    assert is_look(request(method, **headers), by_tls=by_tls) == is_one


def test_an_address_makes_one_view_of_a_clip_in_a_minute() -> None:
    views = LinkViews()
    assert views.counts("c1", "192.0.2.1", 0.0)
    assert not views.counts("c1", "192.0.2.1", 1.0)
    assert views.counts("c2", "192.0.2.1", 1.0)
    assert views.counts("c1", "192.0.2.2", 1.0)
    assert not views.counts("c1", "192.0.2.1", PERIOD_SECONDS - 1)
    assert views.counts("c1", "192.0.2.1", PERIOD_SECONDS + 1)
    assert views.counts("c1", "2001:db8::1", 0.0)
    assert not views.counts("c1", "2001:db8::2", 0.0), "the same customer"


def test_no_address_is_kept() -> None:
    """Neither as it is nor by a hash that anybody could make again."""
    one, other = LinkViews(), LinkViews()
    for views in (one, other):
        views.counts("c1", "192.0.2.1")
    kept = [list(vars(views)["_looks"]._left) for views in (one, other)]
    assert "192.0.2.1" not in str(kept)
    assert kept[0] != kept[1]
