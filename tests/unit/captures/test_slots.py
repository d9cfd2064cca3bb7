"""Whose encoding waits for whose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.captures import rendition_encoding
from app.captures.ffmpeg_process import Effort
from app.captures.slots import (
    BRIEF_SECONDS,
    MIDDLE_PIXELS,
    MIDDLE_SECONDS,
    SHORT_PIXELS,
    CallersSlots,
    Slots,
)
from app.work.places import WorkPlaces
from app.work.turns import Turns
from tests.rows import PartOfRow


@pytest.fixture
def slots() -> Slots:
    return Slots(Turns(), WorkPlaces(1, BRIEF_SECONDS), WorkPlaces(1, MIDDLE_SECONDS))


class Encodings:
    """Encodings of users that go on until they are told to end."""

    def __init__(self, slots: Slots, tasks: asyncio.TaskGroup) -> None:
        self.efforts: dict[str, Effort] = {}
        self._slots, self._tasks = slots, tasks
        self._may_end = asyncio.Event()

    async def begin(self, *users: str, pixels: int) -> None:
        for user in users:
            own = CallersSlots(self._slots, user, f"{user}'s")
            self._tasks.create_task(own.encode(pixels, self._of(user)))
        for _ in range(10):
            await asyncio.sleep(0)

    def _of(self, user: str) -> Callable[[Effort], Awaitable[None]]:
        async def encode(effort: Effort) -> None:
            self.efforts[user] = effort
            await self._may_end.wait()

        return encode

    def end(self) -> None:
        self._may_end.set()


async def test_neither_short_nor_middle_encodings_wait_for_long_ones(slots: Slots) -> None:
    async with asyncio.TaskGroup() as tasks:
        encodings = Encodings(slots, tasks)
        await encodings.begin("ann", "bob", pixels=MIDDLE_PIXELS + 1)
        await encodings.begin("cid", pixels=MIDDLE_PIXELS)
        await encodings.begin("dan", pixels=SHORT_PIXELS)
        begun = {user: effort.is_short for user, effort in encodings.efforts.items()}
        encodings.end()
    assert begun == {"ann": False, "cid": False, "dan": True}


async def test_a_middle_encoding_is_put_off_after_a_minute_if_others_wait(slots: Slots) -> None:
    async with asyncio.TaskGroup() as tasks:
        encodings = Encodings(slots, tasks)
        await encodings.begin("ann", pixels=MIDDLE_PIXELS)
        stint = encodings.efforts["ann"].stint
        alone = stint.may_go_on(MIDDLE_SECONDS)
        await encodings.begin("bob", pixels=MIDDLE_PIXELS)
        beside = stint.may_go_on(MIDDLE_SECONDS - 1), stint.may_go_on(MIDDLE_SECONDS)
        encodings.end()
    assert (alone, *beside) == (True, True, False)


@pytest.mark.parametrize(
    ("format", "size", "seconds", "most"),
    [
        ("gif", (1920, 1080), 15.0, SHORT_PIXELS),
        ("webp", (1920, 1080), 15.0, SHORT_PIXELS),
        ("webp", (4096, 2304), 15.0, MIDDLE_PIXELS),
        ("mp4-720p", (1920, 1080), 30.0, MIDDLE_PIXELS),
    ],
)
def test_what_is_soon_made_waits_for_no_long_encoding(
    format: str, size: tuple[int, int], seconds: float, most: int
) -> None:
    """Moving pictures have few a second, whatever the clip has."""
    row: PartOfRow = {"format": format, "start_seconds": 1.0, "end_seconds": 1.0 + seconds}
    clip: PartOfRow = {"width": size[0], "height": size[1]}
    pixels = rendition_encoding.pixels(row, [clip])
    assert most / 4 < pixels <= most
