"""What must hold when a site has healed. Each check gives what is wrong, in words; nothing: well.

What is only on its way is wrong as well: who asks comes again, until a deadline.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
import httpx
from livekit.api import TwirpError
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from app.cleaning import buffer_invariants
from app.clips import clip_invariants
from app.context import Context
from app.models import EventState
from app.models.schema import File, Marker, OutgoingEvent, Pin
from tests.chaos import clip_clock
from tests.chaos.leaks import Leaks
from tests.chaos.live import live
from tests.chaos.plan import Deed, Harm, spares_media
from tests.chaos.site import Site
from tests.chaos.traffic import RESTLESS, Asked, Traffic
from tests.pace import Pace

ASIDE_SECONDS = 1.5
"""Between two looks at rows and files while media is recorded: what is moving has moved."""
_AWAY = (
    PyMongoError, RedisError, httpx.HTTPError, aiohttp.ClientError, TwirpError, OSError,
)  # fmt: skip


class Checks:
    """All checks of one site."""

    def __init__(self, site: Site, traffic: Traffic, pace: Pace) -> None:
        self._site = site
        self._traffic = traffic
        self._pace = pace
        self._leaks = Leaks(site)
        self._wrong_captures: list[str] = []
        self._held_seconds = 0.0
        self._held_before = 0.0
        self._was_whole = False
        """Whether no media may be missing of windows that reach back to the round before, too."""
        self._whole_since: datetime | None = None

    def expect(self, harm: Harm | None) -> None:
        """What the harm of a round, which begins, may do to the media."""
        spared = harm is None or spares_media(harm.kind)
        self._was_whole = spared and self._whole_since is not None
        self._whole_since = datetime.now(UTC) if spared else None
        # What a stopped LiveKit or egress has held back comes when it goes on, late; windows of
        # the following round reach back to that.
        held = harm.seconds if harm and not spared and harm.kind.deed == Deed.STOP else 0.0
        self._held_seconds, self._held_before = held, self._held_seconds

    async def faults(self) -> list[str]:
        """Everything that is wrong now. Later checks wait for earlier ones: they need these."""
        steps: list[Callable[[], Awaitable[list[str]]]] = [
            self._ready,
            self._captures,
            self._shares,
            self._rows,
            self._leaks.faults,
        ]
        if self.lasting:
            return self.lasting
        found: list[str] = []
        for step in steps:
            try:
                found += await step()
            except _AWAY as error:
                found.append(f"something does not answer, or not well: {error!r}")
            if found:
                break
        return found

    @property
    def lasting(self) -> list[str]:
        """What no waiting will mend."""
        return self._traffic.wrong + self._wrong_captures

    async def _ready(self) -> list[str]:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.get(f"{self._site.service.url}/readyz")
        return [] if answer.is_success else [f"/readyz: {answer.text}"]

    async def _captures(self) -> list[str]:
        found: list[str] = []
        for asked in [each for each in self._traffic.captures.values() if not each.checked]:
            async with self._traffic.client(asked.identity) as client:
                found += await self._capture(client, asked)
        return found

    async def _capture(self, client: httpx.AsyncClient, asked: Asked) -> list[str]:
        name = f"capture {asked.id} of {asked.identity}"
        answer = await client.get(f"/captures/{asked.id}")
        if not answer.is_success:
            return [f"{name}: {answer.status_code} {answer.text}"]
        told: dict[str, Any] = answer.json()
        asked.status, asked.reason = told["status"], told["reason"]
        if not asked.over:
            return [f"{name} is {asked.status} ({told['stage']})"]
        wrong: list[str] = []
        if asked.status == "ready":
            wrong = await self._clip(client, asked, told)
        elif asked.status == "cancelled" and asked.identity not in self._traffic.erased:
            wrong = ["was cancelled by nobody"]
        elif asked.status == "failed" and not (asked.reason and told["detail"]):
            wrong = ["failed without a reason"]
        elif asked.status == "failed" and self._was_whole and asked.identity != RESTLESS:
            wrong = [f"failed, though all of it was recorded: {asked.reason}, {told['detail']}"]
        asked.checked = True
        self._wrong_captures += [f"{name} {each}" for each in wrong]
        return wrong

    async def _clip(
        self, client: httpx.AsyncClient, asked: Asked, told: dict[str, Any]
    ) -> list[str]:
        clip = asked.clip = told["clip"]
        data = (await client.get(f"/file/{clip['file_id']}")).raise_for_status()
        if len(data.content) != clip["size"]:
            return [f"has a file of {len(data.content)} bytes, not of {clip['size']}"]
        shown = await asyncio.to_thread(clip_clock.pictures, data.content)
        held = max(self._held_seconds, self._held_before)
        wrong = clip_clock.faults(clip, shown, held, self._pace.slowdown)
        if wrong:
            (self._site.folder / f"{clip['id']}.mp4").write_bytes(data.content)
            (self._site.folder / f"{clip['id']}.json").write_text(json.dumps(told, indent=1))
        self._traffic.kept.setdefault(clip["id"], True)
        return [f"has a clip {clip['id']} that {each}" for each in wrong]

    async def _shares(self) -> list[str]:
        """Everybody shares, each share has one egress and is recorded, no egress is left."""
        now = await live(self._site.stack)
        found = now.faults({sharer.identity for sharer in self._traffic.sharers})
        async with self._site.service.admin() as admin:
            listed = (await _told(admin, "/buffers", state="active"))["items"]
            for buffer in listed:
                detail = await _told(admin, f"/buffers/{buffer['id']}")
                found += self._gaps(buffer["identity"], detail["gaps"])
        states = {each["identity"]: f"{each['state']} ({each['why']})" for each in listed}
        found += [
            f"the buffer of {identity} is {states.get(identity, 'not there')}"
            for identity in sorted(now.sharers)
            if not states.get(identity, "").startswith("recording")
        ]
        return found

    def _gaps(self, identity: str, gaps: Sequence[dict[str, Any]]) -> list[str]:
        if self._whole_since is None or identity == RESTLESS:
            return []
        return [
            f"the buffer of {identity} lacks {gap['start']} to {gap['end']} ({gap['why']})"
            for gap in gaps
            if gap["why"] != "expired" and datetime.fromisoformat(gap["start"]) > self._whole_since
        ]

    async def _rows(self) -> list[str]:
        """Invariants, quotas, files, events, pins: what stands in rows and on the disk."""
        async with self._site.context() as ctx:
            first = await self._of_rows(ctx)
            if not first:
                return []
            await asyncio.sleep(ASIDE_SECONDS)
            second = await self._of_rows(ctx)
        return [each for each in second if each in first]

    async def _of_rows(self, ctx: Context) -> list[str]:
        now = datetime.now(UTC)
        found = [
            f"({each.invariant}) {each.detail}"
            async for each in buffer_invariants.violations(ctx, now)
        ]
        # nobody makes a clip now, so none is on its way: those of the last minutes count, too
        found += [
            f"({each.invariant}) {each.detail}"
            async for each in clip_invariants.violations(ctx, now + clip_invariants.SETTLING)
        ]
        found += await self._files(ctx)
        found += await self._clips()
        found += await self._events(ctx)
        return found + await self._pins(ctx, now)

    async def _files(self, ctx: Context) -> list[str]:
        known = {row["storage_path"] async for row in ctx.store.rows(File).find({})}
        root = ctx.settings.media_root
        there = {str(path.relative_to(root)) for path in (root / "replays").rglob("*.*")}
        return [f"{path} is no clip's file" for path in sorted(there - known)] + [
            f"{path}, a clip's file, is gone" for path in sorted(known - there)
        ]

    async def _clips(self) -> list[str]:
        """Each user has the clips that were not deleted, and a quota that is their sum."""
        found = []
        there: set[str] = set()
        for sharer in self._traffic.sharers:
            async with self._traffic.client(sharer.identity) as client:
                quota = await _told(client, "/quota")
                clips = await _all_clips(client)
            there |= {clip["id"] for clip in clips}
            used = sum(clip["size"] for clip in clips)
            if (quota["used_bytes"], quota["reserved_bytes"]) != (used, 0):
                found.append(f"{sharer.identity} has {used} bytes of clips, and a quota of {quota}")
        found += [
            f"clip {clip} is {'deleted, and there' if clip in there else 'kept, and not there'}"
            for clip, kept in self._traffic.kept.items()
            if kept is not None and kept != (clip in there)
        ]
        return found

    async def _events(self, ctx: Context) -> list[str]:
        events = ctx.store.rows(OutgoingEvent)
        due = await events.count_documents({"state": {"$ne": EventState.DELIVERED}})
        newest: dict[str, int] = {}
        async for row in events.find({}, {"room": 1, "number": 1}):
            newest[row["room"]] = max(row["number"], newest.get(row["room"], 0))
        late = [f"{due} events are not delivered"] if due else []
        return late + self._site.events.faults(newest)

    async def _pins(self, ctx: Context, now: datetime) -> list[str]:
        """Pins that hold what nobody captures, watches or has marked."""
        markers = {row["_id"] async for row in ctx.store.rows(Marker).find({}, {"_id": 1})}
        found = []
        async for pin in ctx.store.rows(Pin).find({"until": {"$gt": now}}, {"owner": 1}):
            kind, _, rest = pin["owner"].partition(":")
            if kind != "watch" and rest not in markers:
                found.append(f"pin {pin['_id']} is left")
        return found


async def _told(client: httpx.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    """What is answered. Raises HTTPError for anything but a success."""
    found: dict[str, Any] = (await client.get(path, params=query)).raise_for_status().json()
    return found


async def _all_clips(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """A user's clips, of all pages."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        after = {"next": page["next"]} if page["next"] else {}
        page = await _told(client, "/clips", limit="200", **after)
        found += page["items"]
    return found
