"""The buffers as they change: a table on a terminal, elsewhere a line for each change."""

from __future__ import annotations

import sys
from contextlib import closing

from rich.live import Live
from rich.table import Table
from rich.text import Text

from app.client import BufferChanged, BufferGone, BuffersListed, BufferUpdate, ReplayClient
from app.client.answers import BufferAnswer
from app.logs import escaped
from app.terminal.connection import print_json, print_line

_HEADS = ("room", "sharer", "state", "why", "held", "newest")


def watch(replay: ReplayClient, once: bool, as_json: bool, **given: str | None) -> None:
    """Shows the buffers that there are, then what changes, until it is interrupted."""
    with closing(replay.watch_buffers(room=given["room"], sharer=given["sharer"])) as updates:
        if as_json or once or not sys.stdout.isatty():
            for update in updates:
                _print(update, as_json)
                sys.stdout.flush()
                if once:
                    return
        known: dict[str, BufferAnswer] = {}
        with Live(table(known), auto_refresh=False) as live:
            for update in updates:
                known = after(known, update)
                live.update(table(known), refresh=True)


def after(known: dict[str, BufferAnswer], update: BufferUpdate) -> dict[str, BufferAnswer]:
    """The buffers that there are after an update, by id."""
    if isinstance(update, BuffersListed):
        return {buffer["id"]: buffer for buffer in update.items}
    if isinstance(update, BufferChanged):
        return known | {update.buffer["id"]: update.buffer}
    return {name: buffer for name, buffer in known.items() if name != update.buffer_id}


def table(known: dict[str, BufferAnswer]) -> Table:
    """The buffers as a table. What others have named is shown, and does nothing."""
    made = Table(*_HEADS)
    for buffer in sorted(known.values(), key=lambda each: (each["room"], each["started_at"])):
        made.add_row(*(Text(escaped(part)) for part in _parts(buffer)))
    return made


def _parts(buffer: BufferAnswer) -> tuple[str, ...]:
    held = f"{buffer['media_seconds']:.0f} s"
    why = buffer["why"] or ""
    return buffer["room"], buffer["sharer"], buffer["state"], why, held, buffer["newest"] or ""


def _print(update: BufferUpdate, as_json: bool) -> None:
    if isinstance(update, BufferGone):
        if as_json:
            print_json({"event": "gone", "id": update.buffer_id})
        else:
            print_line(update.buffer_id, "gone")
        return
    listed = isinstance(update, BuffersListed)
    for buffer in update.items if isinstance(update, BuffersListed) else [update.buffer]:
        if as_json:
            print_json({"event": "snapshot" if listed else "buffer", **buffer})
        else:
            print_line(buffer["id"], *_parts(buffer))
