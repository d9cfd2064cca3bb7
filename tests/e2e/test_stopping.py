"""An admin, and the sharer, end the recording of a share that goes on, and take it back."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import World
from tests.waiting import wait_for


async def test_a_stopped_share_is_not_recorded_until_it_is_resumed(world: World, room: str) -> None:
    """Whatever asks for it meanwhile; what was buffered stays, and the end of the share ends it."""
    async with world.share(room), world.service.client("alice", room) as alice:
        recorded = await world.wait_for_buffer(room, seconds=2)
        path = f"/buffers/{recorded['id']}"

        async def refused(why: str) -> dict[str, Any]:
            async def told() -> dict[str, Any] | None:
                found = await world.buffer(room)
                is_so = found and (found["state"], found["why"]) == ("refused", why)
                return found if is_so else None

            return await wait_for(told, what=f"{room}: refused, {why}")

        async def nothing_runs() -> bool:
            return not await world.egresses(room)

        stopped = await world.admin.post(f"{path}/stop", json={"reason": "private figures"})
        assert stopped.status_code == 202, stopped.text
        found = await refused("stopped-by-admin")
        assert found["why_detail"] == "private figures"
        await wait_for(nothing_runs)
        # Each of these has the share looked at again, and the last one finds the admin's word.
        assert (await alice.post(f"{path}/stop", json={})).status_code == 202
        await refused("stopped-by-sharer")
        assert (await alice.post(f"{path}/resume")).status_code == 202
        found = await refused("stopped-by-admin")
        assert found["seconds"] >= 2
        assert await nothing_runs()
        assert (await alice.post(f"{path}/resume")).status_code == 403
        listed = await world.admin.get("/buffers", params={"room": room, "state": "refused"})
        assert [item["id"] for item in listed.json()["items"]] == [recorded["id"]]
        assert (await world.admin.post(f"{path}/resume")).status_code == 202
        again = await world.wait_for_buffer(room, seconds=found["seconds"] + 1)
        assert len(again["sessions"]) == 2
        assert again["why_detail"] == ""
    await world.wait_for_buffer(room, state="ended")
    for what in ("stop", "resume"):  # it may go on, by another track
        assert (await world.admin.post(f"{path}/{what}", json={})).status_code == 202
