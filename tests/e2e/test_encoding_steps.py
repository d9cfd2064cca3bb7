"""An egress that can't keep up, from its media's being late to a share in a cheaper encoding."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import World, whole_world
from tests.waiting import wait_for

CONFIGURED, CHEAPER = "640x360@15:600", "320x180@10:200"
BEARS = 640 * 360 * 15 * 2 // 3
"""Two thirds of what is configured: each segment takes half its length longer."""
LONG = 180.0
"""Six seconds late, for fifteen seconds, on a machine that is slow itself."""

pytestmark = pytest.mark.heavy


@pytest_asyncio.fixture(scope="module")
async def slow(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("slow")
    async with whole_world(folder, ENCODING=CONFIGURED, ENCODING_STEPS=CHEAPER) as world:
        world.set_faults({"bears_pixels": BEARS})
        yield world


async def test_a_share_goes_on_in_what_its_egress_bears_and_loses_nothing(slow: World) -> None:
    """Its sessions overlap, one egress is left, and the next share begins in that."""
    room = f"slow {secrets.token_hex(4)}"
    async with slow.share(room):
        first = await slow.wait_for_buffer(room, seconds=2)
        assert (first["encoding"], first["encoding_why"]) == (CONFIGURED, None)

        async def stepped() -> dict[str, Any] | None:
            found = await slow.buffer(room)
            recorded = found and found["spans"] and found["spans"][-1]["encoding"] == CHEAPER
            return found if found and recorded and found["encoding"] == CHEAPER else None

        found = await wait_for(stepped, LONG, what="recorded in the cheaper encoding")
        assert found["encoding_why"] == "egress-behind"

        async def alone() -> bool:
            return len(await slow.egresses(room)) == 1

        await wait_for(alone, what="one egress is left")

        async def kept_up() -> dict[str, Any] | None:
            found = await slow.buffer(room)
            return found if found and found["state"] == "recording" else None

        found = await wait_for(kept_up, LONG, what="recorded without being late")
        assert found["gaps"] == []
        assert len(found["sessions"]) == 2
        spans = found["spans"]
        assert {span["encoding"] for span in spans} == {CONFIGURED, CHEAPER}
        assert (spans[-1]["width"], spans[-1]["height"]) == (320, 180)
        other = f"slow too {secrets.token_hex(4)}"
        async with slow.share(other, "bob"):
            begun = await slow.wait_for_buffer(other, seconds=2)
            assert (begun["encoding"], begun["encoding_why"]) == (CHEAPER, "stepped-before")
