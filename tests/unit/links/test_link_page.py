"""The page of a clip's link: whole for any title and name, and what chats take of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.clips.clip_pages import Clip
from app.links import link_page
from app.links.link_page import LinkPage
from app.models import LinkFact
from app.models.free_text import clean_title
from app.store import row_of
from tests import unfurling
from tests.integration.clips.rows import clip_row, file_row
from tests.unfurling import Card, Head

BASE = "https://replay.example.com/sub"
SECRET = "s3cr3t_-" * 4
AT = datetime(2026, 12, 5, 14, 3, tzinfo=UTC)
HOSTILE = (
    '"><script>alert(1)</script>',
    "</title></head><body onload=alert(1)>",
    "' onerror='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- --> ]]> &lt;b&gt; &amp;amp;",
    "`<img src=x onerror=alert(1)>`",
    "</style><style>*{display:none}",
    "שלום Goal مرحبا 🎬",
    "a\u2028b",
    "javascript:alert(1)",
)


def page(*, start: str | None = None, embedding: bool = False, **given: Any) -> LinkPage:
    row = clip_row("c1", created_at=AT, width=1920, height=1080, **given)
    clip = Clip(row_of(row), row_of(file_row(row)))
    return link_page.page_of(clip, BASE, SECRET, start=start, embedding=embedding)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_others_have_written_stays_text(hostile: str) -> None:
    """In each place where it stands, for a parser that takes nothing that is not in order."""
    shown = page(title=hostile, shared_by=hostile, owner=f"x{hostile}", embedding=True)
    plain = clean_title(hostile)
    for html in (
        link_page.page_html(shown),
        link_page.embedded_html(shown),
        link_page.trouble_html(hostile, hostile, ".."),
    ):
        head = Head(html)
        assert head.title == f"{hostile} \N{EN DASH} Replay"
        assert not head.all("script, img, base, object, form")
        assert len(head.all("style, body")) == 2
        for each in head.all("*"):
            assert not [name for name in each.attrs if name.startswith("on") or name == "style"]
            link = each.attrs.get("href", each.attrs.get("src")) or ""
            assert not link.lower().startswith(("javascript:", "data:")), link
    head = Head(link_page.page_html(shown))
    assert head.one("h1").text == hostile
    assert [each.text for each in head.all("bdi")] == [plain, f"x{plain}"]
    framed = Head(f"<!doctype html><title>x</title>{link_page.frame_html(shown, 640, 360)}")
    frame = framed.one("iframe")
    assert frame.attrs["title"] == hostile


def test_chats_show_a_card_with_a_picture_and_the_film() -> None:
    shown = page(title="That goal", shared_by="alice", owner="bob", duration_seconds=83.4)
    html = link_page.page_html(shown)
    card = Card(
        title="That goal",
        text="1:23 · alice's screen · clipped by bob · 5 Dec 2026, 14:03 UTC",
        site="Replay",
        image=(f"{BASE}/c/{SECRET}/poster.jpg", 640, 360),
        video=None,
        player=None,
    )
    film = f"{BASE}/v1/files/file-c1?link={SECRET}"
    assert unfurling.in_slack(html) == card
    assert unfurling.in_mastodon(html) == card
    assert unfurling.in_discord(html) == Card(
        **{**vars(card), "video": (film, 1920, 1080)},
    )
    head = Head(html)
    assert head.meta("og:type") == "video.other"
    assert head.meta("og:url") == head.link("canonical") == f"{BASE}/c/{SECRET}"
    assert head.meta("og:video:secure_url") == film
    assert head.meta("video:duration") == "83"
    assert head.meta("video:release_date") == "2026-12-05T14:03:00.000Z"
    assert head.meta("twitter:card") == "summary_large_image"
    assert head.meta("robots") == "noindex"
    assert f"url=https%3A%2F%2Freplay.example.com%2Fsub%2Fc%2F{SECRET}" in (
        unfurling.oembed_of(html) or ""
    )


def test_others_are_offered_a_player_only_where_some_may_embed_it() -> None:
    embeddable = link_page.page_html(page(embedding=True))
    player = (f"{BASE}/c/{SECRET}/embed", 1920, 1080)
    assert unfurling.in_mastodon(embeddable).player == player
    assert Head(embeddable).meta("twitter:card") == "player"
    assert Head(link_page.page_html(page())).meta("twitter:player") is None


@pytest.mark.parametrize(
    ("tells", "told"),
    [
        ([], ["0:30"]),
        (["who"], ["0:30", "alice's screen"]),
        (["when"], ["0:30", "5 Dec 2026, 14:03 UTC"]),
        ([*LinkFact], ["0:30", "alice's screen", "5 Dec 2026, 14:03 UTC"]),
        (["chapters"], ["0:30"]),
    ],
)
def test_who_and_when_are_told_as_far_as_the_owner_lets(tells: list[str], told: list[str]) -> None:
    html = link_page.page_html(
        page(title="x", shared_by="alice", owner="alice", link_tells=tells, room="secret-room")
    )
    head = Head(html)
    assert [each.text for each in head.all(".told > *")] == told
    assert Head(html).meta("og:description") == " · ".join(told)
    assert ("alice" in html) == ("who" in tells)
    assert ("2026" in html) == ("when" in tells)
    assert "secret-room" not in html


@pytest.mark.parametrize("hostile", [*HOSTILE, "", "x" * 300])
def test_what_was_marked_is_led_to_if_the_owner_lets(hostile: str) -> None:
    chapters = [{"seconds": 12.5, "label": hostile}, {"seconds": 3671.0, "label": "Goal"}]
    hidden = link_page.page_html(page(chapters=chapters))
    assert not Head(hidden).all("nav, li")
    head = Head(link_page.page_html(page(chapters=chapters, link_tells=["chapters"])))
    assert [each.attrs["href"] for each in head.all("li > a")] == ["?t=12.500", "?t=3671.000"]
    assert [each.text for each in head.all("li span")] == ["0:12", "1:01:11"]
    first, second = (each.text for each in head.all("li bdi"))
    told = clean_title(hostile)
    assert first == ((told if len(told) <= 80 else f"{told[:80]}…") or "Marker 1")
    assert second == "Goal"


def test_a_clip_without_a_title_is_called_after_whose_screen_it_shows() -> None:
    named = page(title="", shared_by="alice", owner="alice")
    assert (named.title, named.summary) == ("alice's screen", "0:30 · 5 Dec 2026, 14:03 UTC")
    assert page(title="", link_tells=[]).title == "Screen replay"


@pytest.mark.parametrize(
    ("start", "fragment"),
    [
        ("12", "#t=12.0"),
        ("12.5", "#t=12.5"),
        ("1m5s", "#t=65.0"),
        ("0", ""),
        ("-3", ""),
        ("90", ""),
        ("abc", ""),
        ("1e9", ""),
        ("999999999h" * 30, ""),
        ('5"><script>', ""),
        ("", ""),
    ],
)
def test_the_film_begins_where_the_address_says_if_it_is_within(start: str, fragment: str) -> None:
    """What somebody has written behind a link breaks nothing."""
    shown = page(start=start, duration_seconds=80.0)
    for html, root in (
        (link_page.page_html(shown), ".."),
        (link_page.embedded_html(shown), "../.."),
    ):
        source = Head(html).one("video > source")
        assert source.attrs["src"] == f"{root}/v1/files/file-c1?link={SECRET}{fragment}"


def test_the_end_of_the_link_or_of_the_clip_is_told_whichever_comes_first() -> None:
    later = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
    assert page(link_expires_at=AT, expires_at=later).ends_at == AT
    assert page(link_expires_at=later, expires_at=AT).ends_at == AT
    assert page(link_expires_at=later, expires_at=AT, keep=True).ends_at == later
    hint = Head(link_page.page_html(page(link_expires_at=AT))).one(".hint")
    assert hint.text == "Link expires 5 Dec 2026, 14:03 UTC"


def test_a_film_that_is_being_prepared_is_looked_for_again_and_unfurled_at_once() -> None:
    """Chats look once, right after the link was sent: the card is whole by then."""
    due: dict[str, Any] = {"hidden_head_seconds": 1.2, "visibility": "link", "clean_until": AT}
    for attempts, seconds in ((0, "1"), (9, "60")):
        shown = page(start="5", clean_attempts=attempts, **due)
        for html in (link_page.page_html(shown), link_page.embedded_html(shown)):
            head = Head(html)
            (again,) = [each for each in head.all("meta") if "http-equiv" in each.attrs]
            assert (again.attrs["http-equiv"], again.attrs["content"]) == ("refresh", seconds)
            assert head.one("[role=status]").text.startswith(("Preparing", "Still preparing"))
            assert not head.all("video, [download]")
    assert unfurling.in_discord(link_page.page_html(page(**due))) == unfurling.in_discord(
        link_page.page_html(page())
    )
    done = page(**due | {"clean_until": None, "clean_bytes": 2_500_000})
    assert "Download (2.5 MB)" in link_page.page_html(done)
    agreed = page(**due | {"clean_bytes": 2_500_000}, hidden_head_shared=True)
    assert agreed.size_bytes == page().size_bytes
    for there in (done, agreed):
        assert Head(link_page.page_html(there)).one("video")
        assert "refresh" not in link_page.page_html(there)


def test_the_policy_lets_nothing_run() -> None:
    policy = link_page.headers()["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
    assert "script" not in policy
    assert "unsafe" not in policy
    framed = link_page.headers(("https://wiki.example.com", "https://*.example.org"))
    assert framed["Content-Security-Policy"].endswith(
        "frame-ancestors https://wiki.example.com https://*.example.org"
    )


def test_a_film_may_be_read_from_where_clips_are_kept() -> None:
    alone = link_page.headers()["Content-Security-Policy"]
    policy = link_page.headers(clips_origin="https://b.example.com")["Content-Security-Policy"]
    assert policy == alone.replace("media-src 'self'", "media-src 'self' https://b.example.com")
    assert policy != alone
