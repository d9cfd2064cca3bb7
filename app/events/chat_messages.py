"""Notes as the messages of chats: each in the form, the escapes and the lengths of its own. Pure.

What the forms may hold is from Slack's "Sending messages using incoming webhooks" and its reference
of Block Kit, Discord's OpenAPI description (`execute_webhook`) and its "Embed Limits", the Matrix
client-server API 1.18, and Mattermost's "Incoming webhooks" and "Message attachments".
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from app.events.chat_notes import ChatNote
from app.models import EventFormat

SLACK_SECTION = 3000
SLACK_TEXT = 4000
DISCORD_TITLE = 256
DISCORD_DESCRIPTION = 4096
MATTERMOST_TEXT = 16_383
_SEEN = "See the clip"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!>~|<])")


def fitted(text: str, escape: Callable[[str], str], most: int) -> str:
    """Text that is escaped, and cut so that it has at most so many characters then."""
    if len(whole := escape(text)) <= most:
        return whole
    made = ""
    for character in text:
        if len(made) + len(escaped := escape(character)) >= most:
            break
        made += escaped
    return f"{made}…"


def markdown(text: str) -> str:
    """Text of others within Markdown, which shows it and does nothing."""
    return _MARKDOWN.sub(r"\\\1", text)


def entities(text: str) -> str:
    """Text of others for Slack: without its three characters there is no mention and no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack(note: ChatNote) -> dict[str, Any]:
    """A message of blocks. What others have said is plain text; the link alone is marked up."""
    told = "\n".join([_headline(note), *note.lines])
    blocks: list[dict[str, Any]] = [
        {
            "type": "section",
            "text": {
                "type": "plain_text",
                "text": fitted(told, entities, SLACK_SECTION),
                "emoji": False,
            },
        }
    ]
    if note.url:
        link = f"<{entities(note.url)}|{_SEEN}>"
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": link}})
    message: dict[str, Any] = {
        "text": fitted(told, entities, SLACK_TEXT),
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }
    if note.picture_url:
        # Not an image block: a picture that is not there yet would have all of it refused.
        message["attachments"] = [{"fallback": _SEEN, "image_url": note.picture_url}]
    return message


def discord(note: ChatNote) -> dict[str, Any]:
    """An embed, which mentions nobody whatever it says."""
    embed: dict[str, Any] = {
        "title": fitted(note.title or note.lead, markdown, DISCORD_TITLE),
        "description": fitted("\n".join(note.lines), markdown, DISCORD_DESCRIPTION),
    }
    if note.url:
        embed["url"] = note.url
    if note.picture_url:
        embed["image"] = {"url": note.picture_url}
    return {"content": note.lead, "embeds": [embed], "allowed_mentions": {"parse": []}}


def mattermost(note: ChatNote) -> dict[str, Any]:
    """A message in Markdown. Mattermost has no switch for mentions: none is left in the text."""
    link = [f"[{_SEEN}]({note.url})"] if note.url else []
    told = "\n".join([_headline(note), *note.lines])
    room = MATTERMOST_TEXT - sum(map(len, link)) - 1
    message: dict[str, Any] = {"text": "\n".join([fitted(told, markdown, room), *link])}
    if note.picture_url:
        message["attachments"] = [{"fallback": _SEEN, "image_url": note.picture_url}]
    return message


def matrix(note: ChatNote) -> dict[str, Any]:
    """A notice that mentions nobody. Pictures would have to be uploaded: it has none."""
    told = [_headline(note), *note.lines]
    link = f'<a href="{html.escape(note.url)}">{_SEEN}</a>' if note.url else ""
    marked = [f"<strong>{html.escape(told[0])}</strong>", *map(html.escape, told[1:])]
    return {
        "msgtype": "m.notice",
        "body": "\n".join([*told, *([note.url] if note.url else [])]),
        "format": "org.matrix.custom.html",
        "formatted_body": "<br>".join([*marked, *([link] if link else [])]),
        "m.mentions": {},
    }


def _headline(note: ChatNote) -> str:
    return f"{note.lead}: {note.title}" if note.title else note.lead


MESSAGES: dict[EventFormat, Callable[[ChatNote], dict[str, Any]]] = {
    EventFormat.SLACK: slack,
    EventFormat.DISCORD: discord,
    EventFormat.MATRIX: matrix,
    EventFormat.MATTERMOST: mattermost,
}
