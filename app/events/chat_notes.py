"""What people in a chat are told of an event, before a chat's own form of it. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.events.contents import (
    CONTENTS,
    BufferEncodingContent,
    BufferErasedContent,
    BufferRefusedContent,
    BufferStartedContent,
    CaptureFailedContent,
    CaptureReadyContent,
    ClipSharedContent,
    ClipWithdrawnContent,
    DeletionRequestedContent,
    EventContent,
    PingContent,
    QuotaExceededContent,
    RoleChangedContent,
    ScreenCapturedContent,
)
from app.models import EventName, EventRow

_LEADS = {
    EventName.BUFFER_STARTED: "A screen is being recorded",
    EventName.BUFFER_ENDED: "A screen share is over",
    EventName.BUFFER_REFUSED: "A screen is not recorded",
    EventName.BUFFER_ENCODING: "A screen is recorded in another encoding",
    EventName.BUFFER_ERASED: "What was recorded of a screen was deleted",
    EventName.SCREEN_CAPTURED: "Somebody has made a clip of another one's screen",
    EventName.CAPTURE_READY: "A clip is ready",
    EventName.CAPTURE_FAILED: "A clip could not be made",
    EventName.QUOTA_EXCEEDED: "A clip was refused: the quota is used up",
    EventName.ROLE_CHANGED: "A role has changed",
    EventName.CLIP_SHARED: "🎬 Replay",
    EventName.CLIP_WITHDRAWN: "A clip was taken from its owner",
    EventName.DELETION_REQUESTED: "The owner of a clip is asked to delete it",
    EventName.PING: "A test: events of the replay service arrive here",
}
_OF_CLIPS = CaptureReadyContent | ClipWithdrawnContent | DeletionRequestedContent
_MOST_OF_A_FACT = 200
_MOST_WORDS = 1000
# A joiner that is not seen: no chat takes what stands around it for a link or a mention.
_BREAK = "\u2060"
_ACTS = re.compile(r"(?<=[@#!])(?=\S)|(?<=:)(?=//)|(?<=\w\.)(?=[^\W\d])")


@dataclass(frozen=True)
class ChatNote:
    """An event in words. `lead` is ours; `title`, `words` and what `facts` say are of others.

    `url`: where the clip is seen, None if there is none. `picture_url`: of one that is public.
    """

    event_id: str
    lead: str
    title: str
    words: str
    facts: tuple[tuple[str, str], ...]
    url: str | None
    picture_url: str | None

    @property
    def lines(self) -> list[str]:
        """All that is said below the title, as plain text."""
        told = [f"{name}: {value}" for name, value in self.facts]
        return [*([self.words] if self.words else []), *told]


def note_of(row: EventRow, source: str, page: str | None) -> ChatNote:
    """What is told of an event. `page`: the URL of the clip's link, None: only for who may see it.

    Without a page, a clip's URL is that of the console, which asks who it is.
    """
    content = CONTENTS[row["event"]].model_validate(row["data"])
    title = words = ""
    if isinstance(content, ClipSharedContent):
        title, words = content.title, content.message.text
    elif isinstance(content, _OF_CLIPS):
        title = content.title
    has_clip = isinstance(content, ClipSharedContent | CaptureReadyContent)
    facts = [(name, inert(value, _MOST_OF_A_FACT)) for name, value in _facts(row, content) if value]
    return ChatNote(
        event_id=row["_id"],
        lead=_LEADS[content.event],
        title=inert(title, _MOST_OF_A_FACT),
        words=inert(words, _MOST_WORDS),
        facts=tuple(facts),
        url=(page or f"{source}/#/clips") if has_clip else None,
        picture_url=f"{page}/poster.jpg" if page and urlsplit(page).scheme == "https" else None,
    )


def inert(text: str, most: int) -> str:
    """Text of others on one line, at most so long: no mention, no link, no change of direction."""
    shown = "".join(" " if unicodedata.category(each) in _HIDDEN else each for each in text)
    line = " ".join(shown.split())
    line = line if len(line) <= most else f"{line[: most - 1]}…"
    return _ACTS.sub(_BREAK, line)


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _facts(row: EventRow, content: EventContent) -> list[tuple[str, str]]:
    facts = [("room", row["room"])]
    match content:
        case ClipSharedContent() | CaptureReadyContent():
            facts += [("by", row["identity"]), ("screen of", content.sharer)]
            facts += [("length", _length(content.duration_seconds))]
        case CaptureFailedContent():
            facts += [("for", row["identity"]), ("screen of", content.sharer)]
            facts += [("why", content.detail or content.reason)]
        case QuotaExceededContent():
            facts += [("for", row["identity"])]
        case BufferRefusedContent():
            facts += [("screen of", row["identity"]), ("why", content.why)]
        case BufferEncodingContent():
            facts += [("screen of", row["identity"]), ("now", content.encoding)]
            facts += [("why", content.why or "")]
        case BufferErasedContent():
            facts += [("screen of", row["identity"]), ("by", content.erased_by)]
        case ScreenCapturedContent():
            facts += [("screen of", row["identity"]), ("by", content.captured_by)]
        case BufferStartedContent():
            facts += [("screen of", row["identity"])]
        case ClipWithdrawnContent():
            facts += [("owner", row["identity"]), ("screen of", content.sharer)]
            facts += [(content.loss, f"by {content.withdrawn_by}")]
        case DeletionRequestedContent():
            facts += [("owner", row["identity"]), ("screen of", content.sharer)]
            facts += [("asked by", content.requested_by), ("why", content.reason)]
        case PingContent():
            facts += [("sent by", row["identity"])]
        case RoleChangedContent():
            facts += [("of", row["identity"]), ("community", content.community)]
            facts += [("now", content.role), ("by", content.changed_by)]
    return facts


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
