"""A page as chats unfurl it: what each of them takes of its head, and in which order.

Read by a parser that keeps to the HTML standard and raises at the first thing that does not: a name
that broke out of its place would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from justhtml import JustHTML


@dataclass(frozen=True)
class Found:
    """An element of a page."""

    name: str
    attrs: Mapping[str, str]
    text: str


class Head:
    """A page, and what its head says."""

    def __init__(self, html: str) -> None:
        self._document = JustHTML(html, sanitize=False, strict=True)

    def all(self, selector: str) -> list[Found]:
        """The elements that a selector means, in the order of the page."""
        return [
            Found(
                name=str(each.name),
                attrs={name: value or "" for name, value in (each.attrs or {}).items()},
                text=each.to_text(separator="", strip=False).strip(),
            )
            for each in self._document.query(selector)
        ]

    def one(self, selector: str) -> Found:
        """The only element that a selector means."""
        (found,) = self.all(selector)
        return found

    def meta(self, *names: str) -> str | None:
        """The first of some meta elements that is there."""
        for name in names:
            for each in self.all("head meta"):
                if name in (each.attrs.get("property"), each.attrs.get("name")):
                    return each.attrs["content"]
        return None

    def link(self, rel: str, kind: str | None = None) -> str | None:
        """Where a link element leads."""
        for each in self.all("head link"):
            if each.attrs["rel"] == rel and kind in (None, each.attrs.get("type")):
                return each.attrs["href"]
        return None

    @property
    def title(self) -> str:
        return self.one("head title").text


@dataclass(frozen=True)
class Card:
    """What a chat shows of a page."""

    title: str
    text: str | None
    site: str | None
    image: tuple[str, int, int] | None
    video: tuple[str, int, int] | None
    player: tuple[str, int, int] | None


def in_slack(html: str) -> Card:
    """Open Graph before Twitter's; a picture, and no video of a site that it does not know."""
    head = Head(html)
    return Card(
        title=head.meta("og:title", "twitter:title") or head.title,
        text=head.meta("og:description", "twitter:description", "description"),
        site=head.meta("og:site_name"),
        image=_sized(head, "og:image"),
        video=None,
        player=None,
    )


def in_discord(html: str) -> Card:
    """Plays a file that says its type and its size."""
    head = Head(html)
    video = _sized(head, "og:video") if head.meta("og:video:type") == "video/mp4" else None
    return Card(
        title=head.meta("og:title", "twitter:title") or head.title,
        text=head.meta("og:description", "description"),
        site=head.meta("og:site_name"),
        image=_sized(head, "og:image"),
        video=video,
        player=None,
    )


def in_mastodon(html: str) -> Card:
    """Embeds a player, by TLS only; asks oEmbed first, see `oembed_of`."""
    head = Head(html)
    player = _sized(head, "twitter:player")
    secure = player if player and urlsplit(player[0]).scheme == "https" else None
    return Card(
        title=head.meta("og:title") or head.title,
        text=head.meta("og:description", "description"),
        site=head.meta("og:site_name"),
        image=_sized(head, "og:image"),
        video=None,
        player=secure,
    )


def oembed_of(html: str) -> str | None:
    """Where a page says that its oEmbed is."""
    return Head(html).link("alternate", "application/json+oembed")


def _sized(head: Head, name: str) -> tuple[str, int, int] | None:
    url = head.meta(name)
    width, height = head.meta(f"{name}:width"), head.meta(f"{name}:height")
    if not url or not urlsplit(url).netloc or not (width and height):
        return None
    return url, int(width), int(height)
