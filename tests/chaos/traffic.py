"""What people do all the while: they share, watch, capture, mark, delete and take it back."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from tests.chaos.sharer import Sharer
from tests.chaos.site import Site
from tests.waiting import wait_for

PEOPLE = (("ada", "chaos 1"), ("bob", "chaos 1"), ("cyd", "chaos 2"))
"""Each shares and does all the rest, too."""
RESTLESS = "cyd"
"""Does not leave their share alone."""
PAUSE_SECONDS = (0.2, 1.0)
ANSWER_SECONDS = 20.0
TRIES = 40
AGAIN_SECONDS = 0.5
ROLES = ("member", "moderator", "admin")
REFUSED = frozenset({httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.INSUFFICIENT_STORAGE})
"""What a service that is being harmed may answer; no other 5xx."""


Action = Callable[[httpx.AsyncClient, Sharer], Awaitable[None]]


@dataclass
class Asked:
    """A capture that was accepted. `clip`: its clip once it is ready."""

    id: str
    identity: str
    status: str = "queued"
    reason: str | None = None
    clip: dict[str, Any] | None = None
    checked: bool = False

    @property
    def over(self) -> bool:
        return self.status in ("ready", "failed", "cancelled")


class Traffic:
    """`wrong` is what the service should never have answered.

    `kept` says of each clip whether it is there; None where nobody can know, since the answer to
    a change was lost. `erased` are those whose captures may have been cancelled. `further`: what
    RESTLESS does besides.
    """

    def __init__(
        self,
        site: Site,
        seed: int,
        people: int = len(PEOPLE),
        further: Sequence[Callable[[Traffic, httpx.AsyncClient, Sharer], Awaitable[None]]] = (),
    ) -> None:
        self.sharers = [Sharer(site.stack, room, name) for name, room in PEOPLE[:people]]
        self.captures: dict[str, Asked] = {}
        self.kept: dict[str, bool | None] = {}
        self.erased: set[str] = set()
        self.wrong: list[str] = []
        self._further = further
        self._service = site.service
        self._draw = random.Random(seed)
        self._going = asyncio.Event()
        self._busy = 0
        self._tasks: list[asyncio.Future[None]] = []
        self._rushes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """They share at once, and do the rest between `resume` and `pause`."""
        work: list[Awaitable[None]] = [sharer.run() for sharer in self.sharers]
        work += [self._act(sharer) for sharer in self.sharers]
        work += [self._follow(sharer) for sharer in self.sharers]
        self._tasks = [asyncio.ensure_future(each) for each in work]
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def resume(self) -> None:
        self._going.set()

    def rush(self) -> None:
        """Everybody asks for a capture, now: so that each harm meets some."""
        for sharer in self.sharers:
            task = asyncio.create_task(self._capture_alone(sharer))
            self._rushes.add(task)
            task.add_done_callback(self._rushes.discard)

    async def _capture_alone(self, sharer: Sharer) -> None:
        async with self.client(sharer.identity) as client:
            await self._capture(client, sharer)

    async def pause(self) -> None:
        """Returns when nobody waits for an answer any more."""
        self._going.clear()

        def answered() -> bool:
            return not self._busy and not self._rushes

        await wait_for(answered, TRIES * ANSWER_SECONDS, what="all have their answers")
        for task in self._tasks:
            if task.done():
                task.result()  # a fault of ours, told as loudly as it is

    def client(self, identity: str) -> httpx.AsyncClient:
        room = dict(PEOPLE)[identity]
        client = self._service.client(identity, room)
        client.timeout = httpx.Timeout(ANSWER_SECONDS)
        return client

    def admin(self) -> httpx.AsyncClient:
        client = self._service.admin()
        client.timeout = httpx.Timeout(ANSWER_SECONDS)
        return client

    async def _act(self, sharer: Sharer) -> None:
        actions: list[Action] = [
            *[self._capture] * 4, *[self._watch] * 3, self._mark, self._delete, self._give_role,
        ]  # fmt: skip
        if sharer.identity == RESTLESS:
            actions += [partial(each, self) for each in self._further]
        async with self.client(sharer.identity) as client:
            while True:
                await self._going.wait()
                self._busy += 1
                try:
                    await self._draw.choice(actions)(client, sharer)
                finally:
                    self._busy -= 1
                await asyncio.sleep(self._draw.uniform(*PAUSE_SECONDS))

    async def ask(
        self, client: httpx.AsyncClient, method: str, path: str, **more: Any
    ) -> httpx.Response | None:
        """An answer; None if there was none, or one that says to come again."""
        try:
            answer = await client.request(method, path, **more)
        except httpx.TransportError:
            return None
        if answer.is_server_error and answer.status_code not in REFUSED:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return None if answer.is_server_error else answer

    async def insist(
        self, client: httpx.AsyncClient, method: str, path: str, **more: Any
    ) -> httpx.Response | None:
        """Asks until there is an answer, for some minutes."""
        for _ in range(TRIES):
            if (answer := await self.ask(client, method, path, **more)) is not None:
                return answer
            await asyncio.sleep(AGAIN_SECONDS)
        return None

    async def _capture(self, client: httpx.AsyncClient, sharer: Sharer) -> None:
        """Asks until it has an answer, with one key: however often, it is one capture."""
        key = uuid.uuid4().hex
        body = {
            "room": sharer.room,
            "identity": sharer.identity,
            "last": round(self._draw.uniform(2.0, 9.0), 3),
            "cut": self._draw.choice(["precise", "precise", "segment", "exact"]),
            "tail": self._draw.choice(["include", "skip"]),
            "title": key,
        }
        answer = await self.insist(
            client, "POST", "/captures", json=body, headers={"Idempotency-Key": key}
        )
        if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
            self.captures[key] = Asked(answer.json()["id"], sharer.identity)

    async def buffers(self, client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
        found = await self.ask(client, "GET", "/buffers", params=query)
        if found is None or not found.is_success:
            return []
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    async def _watch(self, client: httpx.AsyncClient, sharer: Sharer) -> None:
        if not (items := await self.buffers(client, room=sharer.room)):
            return
        path = f"/buffers/{self._draw.choice(items)['id']}"
        await self.ask(client, "GET", path)
        listed = await self.ask(client, "GET", f"{path}/playlist.m3u8", params={"last": 6})
        if listed is not None and listed.is_success:
            urls = [line for line in listed.text.splitlines() if line and line[0] != "#"]
            for url in urls[-2:]:
                await self.ask(client, "GET", url)
        await self.ask(
            client, "GET", f"{path}/replay.mp4", params={"last": 4}, follow_redirects=True
        )
        await self.ask(client, "GET", f"{path}/poster.jpg")

    async def _mark(self, client: httpx.AsyncClient, sharer: Sharer) -> None:
        items = await self.buffers(client, room=sharer.room, identity=sharer.identity)
        if not items:
            return
        path = f"/buffers/{items[0]['id']}/markers"
        made = await self.ask(client, "POST", path)
        if made is not None and made.is_success and self._draw.random() < 0.5:
            await self.ask(client, "DELETE", f"{path}/{made.json()['id']}")

    async def _delete(self, client: httpx.AsyncClient, sharer: Sharer) -> None:
        """Deletes a clip that was looked at, and perhaps takes that back."""
        done = [
            each.clip["id"]
            for each in self.captures.values()
            if each.checked and each.clip and each.identity == sharer.identity
        ]
        if not (there := [clip for clip in done if self.kept.get(clip)]):
            return
        clip = self._draw.choice(there)
        await self._change(client, "DELETE", f"/clips/{clip}", clip, there=False)
        if self._draw.random() < 0.4:
            await self._change(client, "POST", f"/clips/{clip}/restore", clip, there=True)

    async def _change(
        self, client: httpx.AsyncClient, method: str, path: str, clip: str, *, there: bool
    ) -> None:
        self.kept[clip] = None
        answer = await self.ask(client, method, path)
        if answer is not None and answer.is_success:
            self.kept[clip] = there

    async def _give_role(self, _: httpx.AsyncClient, sharer: Sharer) -> None:
        async with self.admin() as admin:
            path = f"/communities/default/members/{sharer.identity}"
            await self.ask(admin, "PUT", path, json={"role": self._draw.choice(ROLES)})

    async def _follow(self, sharer: Sharer) -> None:
        """Follows the buffers' events, and connects again when that ends."""
        async with self.client(sharer.identity) as client:
            while True:
                with suppress(httpx.TransportError):
                    async with client.stream("GET", "/buffers/events") as stream:
                        async for _ in stream.aiter_lines():
                            pass
                await asyncio.sleep(AGAIN_SECONDS)
