"""What somebody does who does not leave their share alone: its media has gaps for good reasons."""

from __future__ import annotations

import asyncio

import httpx

from tests.chaos.sharer import Sharer
from tests.chaos.traffic import Traffic

STOPPED_SECONDS = 1.0


async def toggle(_: Traffic, __: httpx.AsyncClient, sharer: Sharer) -> None:
    """Ends the share and begins another one at once."""
    await sharer.toggle()


async def stop_for_a_while(traffic: Traffic, client: httpx.AsyncClient, sharer: Sharer) -> None:
    """Stops the recording, and takes that back as whomever it counted."""
    for buffer in await traffic.buffers(client, room=sharer.room, state="active"):
        path = f"/buffers/{buffer['id']}"
        await traffic.ask(client, "POST", f"{path}/stop")
        await asyncio.sleep(STOPPED_SECONDS)
        # Between the two the role may be another one.
        await traffic.insist(client, "POST", f"{path}/resume")
        async with traffic.admin() as admin:
            await traffic.insist(admin, "POST", f"{path}/resume")


async def erase(traffic: Traffic, client: httpx.AsyncClient, sharer: Sharer) -> None:
    """Has all deleted that was recorded; captures of it that are not finished end with it."""
    for buffer in await traffic.buffers(client, room=sharer.room, state="active"):
        traffic.erased.add(sharer.identity)
        await traffic.ask(client, "DELETE", f"/buffers/{buffer['id']}")
