"""Clips from the terminal: listed, opened by a link, posted in the chat."""

from __future__ import annotations

from itertools import islice

from app.client import ReplayClient
from app.client.answers import ClipAnswer
from app.client.operations import BY_LINK
from app.terminal.connection import print_json, print_line

_PAGE = 200
"""The longest page that the service gives."""


def list_clips(replay: ReplayClient, limit: int, as_json: bool, **given: str | None) -> None:
    """Prints the newest clips: id, when it was made, length, room, whose screen, title."""
    found = replay.iterate_clips(
        room=given["room"],
        owner=given["owner"],
        sharer=given["sharer"],
        title=given["title"],
        limit=min(limit, _PAGE),
    )
    for clip in islice(found, limit):
        if as_json:
            print_json(clip)
        else:
            length = f"{clip['delivered']['duration_seconds']:.1f} s"
            who = (clip["room"], clip["sharer"], clip["title"])
            print_line(clip["id"], clip["created_at"], length, *who)


def link_clip(replay: ReplayClient, clip_id: str, days: float | None, as_json: bool) -> None:
    """Opens a clip by a link, and prints the page to send to people. A link that holds is kept."""
    clip: ClipAnswer = replay.get_clip(clip_id)
    if clip["link_url"] is None or days is not None:
        clip = replay.change_clip(clip_id, visibility=BY_LINK, link_days=days)
    if as_json:
        print_json(clip)
    else:
        print_line(clip["page_url"] or clip["link_url"] or "")


def post_clip(
    replay: ReplayClient, clip_id: str, channel: str, text: str | None, as_json: bool
) -> None:
    """Has a clip posted in a channel of the chat, and prints the event that asks for it."""
    shared = replay.share_clip(clip_id, channel_id=channel, text=text)
    if as_json:
        print_json(shared)
    else:
        print_line(shared["event_id"], shared["message"]["text"])
