"""Pins of a capture that has its result, while its part lacks what fragments have.

Until the file has its name nothing else keeps these, should the store copy nothing of their packs.
They go when the capture ends, whatever its end is.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app.buffer import pins
from app.clips.clip_location import parts_path
from app.context import Context
from app.models import CaptureRow
from app.storage import clip_files, composition
from app.storage.confined import member

LIFE = timedelta(days=1)
"""How long after its media is due: all workers may be away between the result and the name."""


async def extend(ctx: Context, capture: CaptureRow, part_name: str) -> None:
    """Keeps what a part lacks whose list has this name. Does nothing for a part that is whole."""
    root, path = ctx.clips.parts_root, parts_path(capture)

    def lacks() -> bool:
        return composition.is_lacking(member(clip_files.locate(root, path).parent, part_name))

    if await asyncio.to_thread(lacks):
        await pins.extend(ctx.store, capture["_id"], capture["wait_until"] + LIFE)
