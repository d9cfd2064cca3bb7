"""Pages of clips of a small and of a large library: for each kind of caller, filter and place.

Small: 1,000 clips, every second one of the same person, the others of many. Large: 100,000
(`--quick`: 3,000). Either spreads over a year, and is asked the same in turn, without HTTP in
between.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from odmantic import Model

from app.access.tokens import Caller
from app.clips import clip_pages
from app.clips.clip_pages import Wanted
from app.context import Context
from app.models import Row, Visibility
from app.models.schema import File, Participant, ReplayClip
from tests.bench.ground import Ground
from tests.bench.report import Result, percentile, result
from tests.bench.running import installation

SMALL, LARGE, QUICK = 1_000, 100_000, 3_000
LIMIT = 50
COLLECTOR, PERSON = Caller("collector"), Caller("person-0")
OPERATOR = Caller("operator", instance_admin=True)
_PEOPLE_HAVE = 100
_SHARED = 100
"""Clips that are open to PERSON's room, however many there are."""
_SPREAD = timedelta(days=365)
_BATCH = 1_000


@dataclass(frozen=True)
class Case:
    """What is asked for; from the middle of the list on, if it is `deep`."""

    caller: Caller
    wanted: Wanted = field(default_factory=Wanted)
    deep: bool = False


async def run(ground: Ground) -> list[Result]:
    large = ground.pick(quick=QUICK, full=LARGE)
    async with (
        installation(ground, "few-clips", ()) as few,
        installation(ground, "many-clips", ()) as many,
    ):
        ground.say(f"writing {large} clips")
        now = datetime.now(UTC)
        contexts = {SMALL: few.ctx, large: many.ctx}
        for count, ctx in contexts.items():
            await _fill(ctx, count, now)
        ground.say("asking for clips")
        return await _measure(contexts, now, ground.pick(quick=20, full=200))


def _cases(now: datetime) -> dict[str, Case]:
    middle = now - _SPREAD / 2
    return {
        "all are mine": Case(COLLECTOR),
        "all are mine, deep": Case(COLLECTOR, deep=True),
        "of a room": Case(COLLECTOR, Wanted(room="room-3")),
        "of a room, deep": Case(COLLECTOR, Wanted(room="room-3"), deep=True),
        "of a month": Case(COLLECTOR, Wanted(since=middle - timedelta(days=30), until=middle)),
        "with a title": Case(COLLECTOR, Wanted(title="GOAL")),
        "with a title, deep": Case(COLLECTOR, Wanted(title="goal"), deep=True),
        "with no such title": Case(COLLECTOR, Wanted(title="nothing")),
        "one of many": Case(PERSON),
        "one of many, a title": Case(PERSON, Wanted(title="goal")),
        "all there are": Case(OPERATOR),
        "all there are, deep": Case(OPERATOR, deep=True),
        "one owner's, to the operator": Case(OPERATOR, Wanted(owner=PERSON.identity)),
    }


async def _measure(contexts: dict[int, Context], now: datetime, repeats: int) -> list[Result]:
    small = min(contexts)
    results = []
    for name, case in _cases(now).items():
        asks = {count: await _ask(ctx, case, now) for count, ctx in contexts.items()}
        times: dict[int, list[float]] = {count: [] for count in asks}
        for _ in range(repeats):
            for count, ask in asks.items():
                began = time.perf_counter()
                await ask()
                times[count].append((time.perf_counter() - began) * 1000)
        for count, each in times.items():
            results.append(result("clips", name, {"clips": count}, "ms", each, times[small]))
            if count != small:
                growth = percentile(each, 0.99) / percentile(times[small], 0.99)
                results.append(result("clips_p99_growth", name, {"clips": count}, "x", [growth]))
    return results


async def _ask(ctx: Context, case: Case, now: datetime) -> Callable[[], Awaitable[object]]:
    after = None
    if case.deep:
        first = await clip_pages.page(
            ctx, case.caller, Wanted(until=now - _SPREAD / 2), limit=LIMIT
        )
        after = first.next
        if after is None:
            raise RuntimeError("the middle of the list is its end")

    async def ask() -> object:
        page = await clip_pages.page(ctx, case.caller, case.wanted, limit=LIMIT, after=after)
        if not page.items and case.wanted.title != "nothing":
            raise RuntimeError(f"{case} found nothing")
        return page

    await ask()  # the first one finds everything cold
    return ask


async def _fill(ctx: Context, count: int, now: datetime) -> None:
    whose: dict[str, Any] = {"room_sid": "RM_shared", "room": "shared", "identity": PERSON.identity}
    await ctx.store.create(Participant(sid="PA_0", joined_at=now, **whose))
    for begin in range(0, count, _BATCH):
        numbers = range(begin, min(begin + _BATCH, count))
        await _insert(ctx, ReplayClip, [_clip(number, count, now) for number in numbers])
        await _insert(ctx, File, [_file(number, now) for number in numbers])


async def _insert(ctx: Context, model: type[Model], rows: list[Row]) -> None:
    await ctx.store.database[+model].insert_many(rows, ordered=False)


def _clip(number: int, count: int, now: datetime) -> Row:
    """Every second one is COLLECTOR's; the newest of the others are open to PERSON's room."""
    place, others = divmod(number, 2)
    people = count // 2 // _PEOPLE_HAVE
    shared = bool(others) and place < _SHARED
    room = "shared" if shared else f"room-{place % 10}"
    at = now - _SPREAD * ((number + 0.5) / count)
    clip = ReplayClip(
        id=f"{number:024x}",
        capture_id=f"{number:024x}",
        file_id=f"{number:024x}",
        owner=f"person-{place % people}" if others else COLLECTOR.identity,
        shared_by="sharer",
        room=room,
        room_sid=f"RM_{room}",
        title="That goal" if place % 20 == 0 else f"clip {place}",
        visibility=Visibility.ROOM if shared else Visibility.PRIVATE,
        opened=shared,
        audience=f"RM_{room}" if shared else None,
        ready=True,
        requested_start=at,
        requested_end=at,
        created_at=at,
    )
    return clip.model_dump_doc()


def _file(number: int, now: datetime) -> Row:
    file = File(
        id=f"{number:024x}",
        filename="bench.mp4",
        size_bytes=1_800_000,
        checksum="sha256:" + "0" * 64,
        uploaded_by="sharer",
        storage_path=f"replays/bench/{number}.mp4",
        resource_id=f"{number:024x}",
        created_at=now,
    )
    return file.model_dump_doc()
