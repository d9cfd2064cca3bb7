"""When requests begin: a few in each round of the event loop, one address after another."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from app.api.request_turns import RequestTurns

AT_ONCE = 4
CROWD = 200


class Begun:
    """An application that notes who was begun, and in which round of the loop."""

    def __init__(self) -> None:
        self.round = 0
        self.who: list[str] = []
        self.rounds: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.who.append(scope["client"][0])
        self.rounds.append(self.round)

    async def count_rounds(self) -> None:
        while True:
            self.round += 1
            await asyncio.sleep(0)


async def nothing() -> Message:
    return {}


async def nowhere(_message: Message) -> None:
    pass


def request(address: str, path: str = "/") -> Scope:
    return {"type": "http", "client": (address, 1), "path": path}


async def begin(*requests: Scope) -> Begun:
    """All of them at the same moment."""
    begun = Begun()
    turns = RequestTurns(begun, lambda scope: scope["path"] == "/signed", AT_ONCE)
    counting = asyncio.create_task(begun.count_rounds())
    await asyncio.gather(*(turns(each, nothing, nowhere) for each in requests))
    counting.cancel()
    return begun


async def test_a_crowd_begins_a_few_at_a_time() -> None:
    begun = await begin(*[request("a")] * CROWD)
    assert len(begun.who) == CROWD
    assert max(begun.rounds.count(each) for each in set(begun.rounds)) <= AT_ONCE


async def test_another_address_waits_for_one_of_a_crowd_not_for_all() -> None:
    begun = await begin(*[request("a")] * CROWD, request("b"))
    assert begun.who.index("b") <= 2 * AT_ONCE


async def test_what_goes_first_waits_for_nobody() -> None:
    begun = await begin(*[request("a")] * CROWD, request("livekit", "/signed"))
    assert begun.rounds[begun.who.index("livekit")] == begun.rounds[0]


async def test_who_goes_away_while_waiting_takes_no_turn() -> None:
    begun = Begun()
    turns = RequestTurns(begun, lambda _scope: False, AT_ONCE)
    waiting = [
        asyncio.create_task(turns(request("a"), nothing, nowhere)) for _ in range(3 * AT_ONCE)
    ]
    await asyncio.sleep(0)
    for task in waiting[AT_ONCE:]:
        task.cancel()
    await asyncio.wait(waiting)
    assert len(begun.who) == AT_ONCE
    await asyncio.wait_for(turns(request("a"), nothing, nowhere), 10)


async def test_alone_it_begins_at_once() -> None:
    begun = Begun()
    turns = RequestTurns(begun, lambda _scope: False, AT_ONCE)
    task = asyncio.create_task(turns(request("a"), nothing, nowhere))
    await asyncio.sleep(0)
    assert task.done()


async def test_a_crowd_of_one_network_has_the_turns_of_one_address() -> None:
    crowd = [request(f"2001:db8::{host:x}") for host in range(1, CROWD)]
    begun = await begin(*crowd, request("192.0.2.1"))
    assert begun.who.index("192.0.2.1") < 2 * AT_ONCE
