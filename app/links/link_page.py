"""The page of a clip's link as HTML, which works without script. Titles and names in it are data.

A page leads to what is its own by relative URLs, so that it works under any name and behind any
proxy; only what others read, such as chats, is absolute.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.clips import clean_copies, play_time
from app.clips.clip_pages import Clip
from app.clips.clip_visibility import page_path
from app.media.sprites import POSTER, fitted
from app.models import ClipRow, LinkFact
from app.models.durations import parse_duration
from app.models.free_text import clean_title
from app.models.instants import written

SITE = "Replay"
_NAME_CHARACTERS = 80
_SIZE = (1280, 720)
"""Of a clip that does not know its own."""

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
    trim_blocks=True,
    lstrip_blocks=True,
)
_style = _templates.get_template("link.css").render()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode()


@dataclass(frozen=True)
class Chapter:
    """A moment of the film, which the page leads to, and what it is called."""

    seconds: float
    label: str


@dataclass(frozen=True)
class LinkPage:
    """What the page says. `path`, `file` and `poster_path` are paths of the service; the URLs are
    for others.

    `told`: who and when in words, as far as the owner lets. `start_seconds`: where the film begins.
    `embedding`: whether any other page may embed it. `again_seconds`: the film is being prepared,
    and the page looks for it again by then; None: it is there.
    """

    title: str
    told: tuple[str, ...]
    shared_by: str | None
    made_by: str | None
    at: datetime | None
    ends_at: datetime | None
    seconds: float
    size_bytes: int
    width: int
    height: int
    poster_size: tuple[int, int]
    path: str
    file: str
    poster_path: str
    url: str
    poster: str
    video: str
    embed: str
    oembed: str
    start_seconds: float | None
    chapters: tuple[Chapter, ...]
    embedding: bool
    again_seconds: int | None

    @property
    def summary(self) -> str:
        """In one line what the page tells besides the title."""
        return " · ".join((length(self.seconds), *self.told))


def page_of(
    clip: Clip, base_url: str, secret: str, *, start: str | None, embedding: bool
) -> LinkPage:
    """The page of a clip. `start`: what stands behind `?t=`, which anybody may have written."""
    row, path = clip.row, page_path(secret)
    url = f"{base_url}{path}"
    tells = row["link_tells"]
    shared_by = _name(row["shared_by"]) if LinkFact.WHO in tells else None
    made_by = _name(row["owner"]) if shared_by and row["owner"] != row["shared_by"] else None
    at = play_time.begin(row) if LinkFact.WHEN in tells else None
    width, height = row["width"] or _SIZE[0], row["height"] or _SIZE[1]
    seconds = row["duration_seconds"]
    begins = _seconds(start, seconds)
    file = f"/v1/files/{clip.file['_id']}?{urlencode({'link': secret})}"
    whose = f"{shared_by}'s screen" if shared_by else ""
    by = f"clipped by {made_by}" if made_by else ""
    return LinkPage(
        title=row["title"] or whose or "Screen replay",
        told=tuple(filter(None, (whose if row["title"] else "", by, moment(at) if at else ""))),
        shared_by=shared_by,
        made_by=made_by,
        at=at,
        ends_at=_ends_at(clip),
        seconds=seconds,
        size_bytes=clean_copies.size_for_others(clip),
        width=width,
        height=height,
        poster_size=fitted(width, height, POSTER),
        path=path,
        file=file,
        poster_path=f"{path}/poster.jpg",
        url=url,
        poster=f"{url}/poster.jpg",
        video=f"{base_url}{file}",
        embed=f"{url}/embed" + (f"?t={begins:g}" if begins else ""),
        oembed=f"{base_url}/oembed?{urlencode({'url': url, 'format': 'json'})}",
        start_seconds=begins,
        chapters=_chapters(row) if LinkFact.CHAPTERS in tells else (),
        embedding=embedding,
        again_seconds=clean_copies.again_seconds(row) if clean_copies.is_due(row) else None,
    )


def page_html(page: LinkPage) -> str:
    """The page on its own."""
    return _rendered("clip.html", page=page, root="..")


def embedded_html(page: LinkPage) -> str:
    """The player for within other pages."""
    return _rendered("embed.html", page=page, root="../..")


def trouble_html(title: str, words: str, root: str) -> str:
    """The page for where there is no clip. `root`: how its URL leads to that of the service."""
    return _rendered("trouble.html", title=title, words=words, root=root)


def frame_html(page: LinkPage, width: int, height: int) -> str:
    """What another page has to hold to embed the player."""
    return _rendered("frame.html", page=page, width=width, height=height)


def headers(framed_by: tuple[str, ...] = (), clips_origin: str | None = None) -> dict[str, str]:
    """What browsers and robots are told of a page.

    `framed_by`: whose pages it may stand in. `clips_origin`: where else its film is read from.
    """
    framing = " ".join(framed_by) or "'none'"
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "img-src 'self'",
        " ".join(("media-src 'self'", *filter(None, (clips_origin,)))),
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {framing}",
    )
    return {"Content-Security-Policy": "; ".join(policy), "X-Robots-Tag": "noindex"}


def length(seconds: float) -> str:
    """A length as players write it: `0:07`, `1:02:03`; never none."""
    return position(max(1, round(seconds)))


def position(seconds: float) -> str:
    """A moment of a film as players write it."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def moment(at: datetime) -> str:
    """A time in words. Without script nobody knows the zone of who reads it."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def megabytes(size_bytes: int) -> str:
    """A size in words: `0.4 MB`, `12 MB`."""
    size = size_bytes / 1e6
    return f"{max(size, 0.1):.1f} MB" if size < 10 else f"{size:.0f} MB"


def _rendered(name: str, **told: object) -> str:
    return _templates.get_template(name).render(told, site=SITE, style=_style)


def _name(identity: str) -> str:
    """Somebody's identity on one line, not too long."""
    name = clean_title(identity)
    return name if len(name) <= _NAME_CHARACTERS else f"{name[:_NAME_CHARACTERS]}…"


def _seconds(start: str | None, end: float) -> float | None:
    """Where the film is to begin: a link is not broken by what was written behind it."""
    try:
        seconds = parse_duration(start or "").total_seconds()
    except ValueError:
        return None
    return seconds if seconds < end else None


def _chapters(row: ClipRow) -> tuple[Chapter, ...]:
    """What was marked, in a few words each; a mark without any is called by its place."""
    return tuple(
        Chapter(each["seconds"], _name(each["label"]) or f"Marker {number}")
        for number, each in enumerate(row["chapters"], 1)
    )


def _ends_at(clip: Clip) -> datetime | None:
    """When the link stops to work."""
    row = clip.row
    ends = (row["link_expires_at"], None if row["keep"] else row["expires_at"])
    return min(filter(None, ends), default=None)


_templates.filters |= {
    "duration": length,
    "instant": written,
    "megabytes": megabytes,
    "moment": moment,
    "position": position,
}
