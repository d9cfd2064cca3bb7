"""Who was in the room may capture there, and sees what is shared with it; nobody else does."""

from __future__ import annotations

import json
import secrets

from livekit import api

from tests.e2e.conftest import World
from tests.e2e.test_main_path import capture
from tests.waiting import wait_for


async def test_presence_is_known_from_livekits_own_events(world: World, room: str) -> None:
    """Under `room`, in the community that the room's metadata names, and in no other."""
    community = f"guests-{secrets.token_hex(4)}"
    stack = world.stack
    config = f"/communities/{community}/config"
    changed = await world.admin.put(config, json={"capture_policy": "room"})
    assert changed.json()["capture_policy"] == "room"
    async with api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as livekit:
        metadata = json.dumps({"community": community})
        await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata=metadata))
    async with (
        world.share(room, "alice") as _,
        world.share(room, "bob", "--no-audio") as _,
        world.service.client("alice", room) as alice,
        world.service.client("bob", room) as bob,
        world.service.client("eve", room) as eve,
    ):
        hers = await world.wait_for_buffer(room, seconds=2)
        asked = {"room": room, "identity": "alice", "last": 60}
        assert (await eve.post("/captures", json=asked)).status_code == 403
        assert (await eve.get("/buffers")).json()["items"] == []
        assert len((await bob.get("/buffers")).json()["items"]) == 2
        done = await capture(bob, **asked)
        assert done["status"] == "ready", done
        clip_id = done["clip"]["id"]
        path = f"/clips/{clip_id}"
        assert (await alice.get(path)).status_code == 404
        opened = await bob.patch(path, json={"visibility": "room", "share_hidden_head": True})
        assert opened.status_code == 200, opened.text
        assert (await alice.get(path)).json()["owner"] == "bob"
        assert (await eve.get(path)).status_code == 404
        assert hers["room"] == room


async def test_everybody_in_the_room_is_shown_who_is_buffered(world: World, room: str) -> None:
    """By an attribute of the sharer, as long as it is so."""
    stack = world.stack
    async with (
        api.LiveKitAPI(stack.url, stack.api_key, stack.api_secret) as livekit,
        world.share(room, "alice", "--no-audio") as alice,
    ):
        whose = api.RoomParticipantIdentity(room=room, identity="alice")

        async def shown() -> bool:
            who = await livekit.room.get_participant(whose)
            return who.attributes.get("replay.buffered") == "on"

        async def not_shown() -> bool:
            return not await shown()

        await wait_for(shown)
        await alice.do("unpublish_video")
        await wait_for(not_shown)
