"""Packs of a session, and whether all of it is packed that can be."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from app.context import Context
from app.indexing.packer import Packer
from app.models import PackRow
from app.models.schema import EgressSession, Pack, Segment
from app.storage.pack_places import PACK_BYTES
from tests.waiting import PATIENCE_SECONDS, wait_for


async def packs_of(ctx: Context) -> list[PackRow]:
    """The rows of all packs."""
    return await ctx.store.rows(Pack).find({}).to_list(None)


async def is_packed(ctx: Context, session_id: str) -> bool:
    """Whether what is not packed of a session is less than a pack, and nothing is under way."""
    rows = [row for row in await packs_of(ctx) if row["state"] != "condemned"]
    through = max((row["fragments"][-1]["sequence"] for row in rows), default=-1)
    of_session = {"session_id": session_id, "sequence": {"$gt": through}}
    sizes = {"size_bytes": 1, "payload_offset": 1}
    left = await ctx.store.rows(Segment).find(of_session, sizes).to_list(None)
    size_bytes = sum(row["size_bytes"] - row["payload_offset"] for row in left)
    return size_bytes < PACK_BYTES and all(row["state"] == "written" for row in rows)


async def pack_all(ctx: Context, session_id: str, deadline: float = PATIENCE_SECONDS) -> None:
    """Packs what of a session is indexed, as an indexer does that takes it up."""
    session = await ctx.store.rows(EgressSession).find_one({"_id": session_id})
    assert session is not None
    with ThreadPoolExecutor(1) as executor:
        packer = Packer(ctx, executor)
        await packer.begin(session)
        running = asyncio.create_task(packer.run())
        try:
            await wait_for(lambda: is_packed(ctx, session_id), deadline)
        finally:
            running.cancel()
            await asyncio.wait({running})
