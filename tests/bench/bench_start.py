"""From track_published to StartEgress: the real service, and a LiveKit that notes the arrival.

`video_only`: no sound comes, so AUDIO_WAIT_SECONDS pass first; they are taken off. `with_audio`:
the sound's event comes 50 ms after the picture's, and the start is due at once; the time is from
there.
"""

from __future__ import annotations

import asyncio
import time

from tests.bench.ground import Ground
from tests.bench.livekit_stub import LiveKitStub
from tests.bench.posting import Poster
from tests.bench.report import Result, result
from tests.bench.running import Installation
from tests.bench.signing import Person

PER_SECOND = 4
AUDIO_AFTER_SECONDS = 0.05
DEADLINE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


async def run(ground: Ground, running: Installation, stub: LiveKitStub) -> list[Result]:
    ground.say("from track_published to StartEgress")
    people = [Person("starts", number) for number in range(ground.pick(quick=20, full=240))]
    asked = await _share(running, people)
    await _all_started(stub, people)
    wait_seconds = running.settings.audio_wait_seconds
    waits: dict[str, list[float]] = {"video_only": [], "with_audio": []}
    for person in people:
        way = "with_audio" if _has_audio(person) else "video_only"
        due = asked[person.share] + (0 if _has_audio(person) else wait_seconds)
        waits[way].append((stub.started[person.share] - due) * 1000)
    return [result("start", way, {}, "ms", times) for way, times in waits.items()]


def _has_audio(person: Person) -> bool:
    return person.number % 2 == 1


async def _share(running: Installation, people: list[Person]) -> dict[str, float]:
    """Lets everybody share; by video track when the event that a start follows was sent."""
    asked: dict[str, float] = {}
    events = {
        person.number: (
            person.event("participant_joined"),
            person.event("track_published", person.video()),
            person.event("track_published", person.audio()),
        )
        for person in people
    }
    poster = Poster(running.settings.base_url)

    async def one(person: Person, at: float) -> None:
        joined, video, audio = events[person.number]
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await poster.post(joined)
        asked[person.share] = time.perf_counter()
        await poster.post(video)
        if _has_audio(person):
            await asyncio.sleep(AUDIO_AFTER_SECONDS)
            asked[person.share] = time.perf_counter()
            await poster.post(audio)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, person in enumerate(people):
            group.create_task(one(person, began + number / PER_SECOND))
    await poster.close()
    return asked


async def _all_started(stub: LiveKitStub, people: list[Person]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while missing := [person.share for person in people if person.share not in stub.started]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(missing)} shares were not started: {missing[:3]}")
        await asyncio.sleep(_LOOK_SECONDS)
