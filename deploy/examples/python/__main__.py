"""Joins a room and clips on demand: `python -m deploy.examples.python ROOM`.

Whoever says `clip that` in the chat, or `clip that 60`, gets the link of a clip of their own share.
The bot has LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and knows the service at
REPLAY_URL. It is the admin of its room, who may capture everybody's shares there. The clips are the
bot's, and count for its quota; deploy/examples/README.md tells what the others may.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys

from livekit import api, rtc

from app.client import AsyncReplayClient, ClientError

CHAT = "lk.chat"
ASKED = re.compile(r"clip that(?: (\d{1,3}))?[.!]?", re.IGNORECASE)
BOT = "clip-bot"


def make_token(room: str) -> str:
    """The bot's token: asked for before each request, as tokens end."""
    grants = api.VideoGrants(room_join=True, room=room, room_admin=True)
    made = api.AccessToken(os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])
    return made.with_identity(BOT).with_grants(grants).to_jwt()


async def make_link(replay: AsyncReplayClient, room: str, sharer: str, seconds: int) -> str:
    """What is said to who has asked: a link, or why there is none."""
    try:
        accepted = await replay.create_capture(room=room, sharer=sharer, last=seconds)
        clip = await replay.finish_capture(accepted["id"])
        clip = await replay.change_clip(clip["id"], visibility="link")
    except ClientError as error:
        return f"No clip: {error}"
    return clip["page_url"] or "No clip: it has no link"


async def main(name: str) -> None:
    """Hears the chat until it is ended."""
    url = os.environ.get("REPLAY_URL", "http://127.0.0.1:8000")
    room = rtc.Room()
    tasks: set[asyncio.Task[None]] = set()
    async with AsyncReplayClient(url, lambda: make_token(name)) as replay:

        async def answer(reader: rtc.TextStreamReader, identity: str) -> None:
            if asked := ASKED.fullmatch((await reader.read_all()).strip()):
                said = await make_link(replay, name, identity, int(asked[1] or 30))
                await room.local_participant.send_text(said, topic=CHAT)

        def hear(reader: rtc.TextStreamReader, identity: str) -> None:
            task = asyncio.create_task(answer(reader, identity))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        room.register_text_stream_handler(CHAT, hear)
        await room.connect(os.environ["LIVEKIT_URL"], make_token(name))
        print(f"{BOT} is in {name}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m deploy.examples.python ROOM")
    asyncio.run(main(sys.argv[1]))
