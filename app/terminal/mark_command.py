"""A mark from the terminal: at the present moment of a share."""

from __future__ import annotations

from app.client import ClientError, ReplayClient
from app.terminal.connection import print_json, print_line


def mark(replay: ReplayClient, room: str, identity: str, label: str | None, as_json: bool) -> None:
    """Marks the share of `identity` in the room. Raises ClientError if none goes on."""
    live = [
        buffer
        for buffer in replay.iterate_buffers(room=room, sharer=identity)
        if buffer["ended_at"] is None
    ]
    if not live:
        raise ClientError(f"{identity!r} shares no screen in {room!r} now")
    newest = max(live, key=lambda buffer: buffer["started_at"])
    marker = replay.create_marker(newest["id"], label=label)
    if as_json:
        print_json(marker)
    else:
        print_line(marker["id"], marker["at"], marker["label"])
