"""How soon LiveKit's webhooks are answered, by the real API on embedded stores.

At 50 a second: people come, publish, share and leave in many rooms; every second one shares. Each
event has its moment and is sent then, whether or not the ones before are answered; it is late from
that moment on. `whole_service`: worker and indexer run beside and do what the events ask for,
against a LiveKit that answers at once. `api_alone`: only the API.

The burst: 1,000 events of one room come at once, and are sent as livekit-server sends them, one
after another. An event's age is that at its turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from app.models.schema import Participant, Track
from tests.bench.ground import Ground
from tests.bench.posting import Poster
from tests.bench.report import Result, result
from tests.bench.running import Installation
from tests.bench.signing import Person, Signed

PER_SECOND = 50
BURST = 1_000
ROOMS = 10


async def run(ground: Ground, running: Installation, way: str) -> list[Result]:
    ground.say(f"webhooks, {way}")
    waits = await _at_a_rate(running, ground.pick(quick=4, full=60) * PER_SECOND)
    ages = await _burst(running)
    return [
        result("webhook", way, {"per_second": PER_SECOND}, "ms", waits),
        result("webhook_burst_age", way, {"events": BURST}, "s", ages),
    ]


async def _at_a_rate(running: Installation, count: int) -> list[float]:
    """Answer times in ms."""
    stays = [
        list(Person(f"room-{number % ROOMS}", number).stay(sharing=number % 2 == 0))
        for number in range(-(-count // 6))
    ]
    # Each person's events stay in order, those of different people mix.
    events = [stay[step] for step in range(10) for stay in stays if step < len(stay)][:count]
    waits: list[float] = []
    poster = Poster(running.settings.base_url)

    async def send(event: Signed, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        await poster.post(event)
        waits.append((time.perf_counter() - at) * 1000)

    await poster.post(Person("warm-up", 0).event("participant_joined"))
    began = time.perf_counter() + 0.2
    async with asyncio.TaskGroup() as group:
        for number, event in enumerate(events):
            group.create_task(send(event, began + number / PER_SECOND))
    await poster.close()
    return waits


async def _burst(running: Installation) -> list[float]:
    """The events' ages in s at their turns. RuntimeError if one left no trace."""
    people = [Person("burst", number) for number in range(BURST // 4)]
    events: list[Signed] = []
    for person in people:
        events += [person.event("participant_joined")]
        events += [person.event("track_published", person.video())]
        events += [person.event("track_unpublished", person.video())]
        events += [person.event("participant_left")]
    ages: list[float] = []
    poster = Poster(running.settings.base_url)
    began = time.perf_counter()
    for event in events:
        ages.append(time.perf_counter() - began)
        await poster.post(event)
    await poster.close()
    await _none_lost(running, people)
    return ages


async def _none_lost(running: Installation, people: Sequence[Person]) -> None:
    left = {"room_sid": "RM_burst", "left_at": {"$ne": None}}
    ended = {"room_sid": "RM_burst", "ended_at": {"$ne": None}}
    for model, query in ((Participant, left), (Track, ended)):
        found = await running.ctx.store.database[+model].count_documents(query)
        if found != len(people):
            raise RuntimeError(f"{found} rows of {model.__name__} for {len(people)} people")
