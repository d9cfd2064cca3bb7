"""How long a user and LiveKit wait while strangers without a token do their worst.

The user's requests come from an address of their own, over connections of their own, each as a
browser's first; LiveKit's webhooks from 127.0.0.1, over a connection that stays open for a second.
The strangers are another program: `tests.bench.attacks`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from urllib.parse import urlsplit

import httpx

from tests.bench.attacks import ATTACKS
from tests.bench.ground import Ground
from tests.bench.posting import Poster
from tests.bench.report import Result, result
from tests.bench.running import ROOT, Installation, installation
from tests.bench.signing import Person

USER = "127.0.2.1"
EVERY_SECONDS = 0.04
RECONNECTS_AFTER = 25


async def run(ground: Ground) -> list[Result]:
    seconds = ground.pick(quick=6, full=30)
    results = []
    async with installation(ground, "strangers", ("api",)) as running:
        # the first answers find everything cold
        await asyncio.gather(_user(running, 1.0), _livekit(running, 1.0))
        for attack in ATTACKS:
            ground.say(f"strangers: {attack}")
            waits, webhooks = await _beside(running, attack, seconds)
            results.append(result("beside_strangers", attack, {}, "ms", waits))
            results.append(result("webhook_beside_strangers", attack, {}, "ms", webhooks))
    return results


async def _beside(
    running: Installation, attack: str, seconds: float
) -> tuple[list[float], list[float]]:
    """What a user, and LiveKit, waited for each answer while the attack went on, in ms."""
    url = urlsplit(running.settings.base_url)
    command = (sys.executable, "-m", "tests.bench.attacks", attack, url.hostname or "", url.port)
    program = await asyncio.create_subprocess_exec(*map(str, command), str(seconds), cwd=ROOT)
    waits, webhooks = await asyncio.gather(
        _user(running, seconds - 1), _livekit(running, seconds - 1)
    )
    if await program.wait():
        raise RuntimeError(f"the attack {attack} failed")
    return waits, webhooks


async def _user(running: Installation, seconds: float) -> list[float]:
    headers, waits = running.headers("user"), []
    until = time.monotonic() + seconds
    none_kept = httpx.Limits(max_keepalive_connections=0)
    way = httpx.AsyncHTTPTransport(local_address=USER, limits=none_kept)
    async with httpx.AsyncClient(transport=way, timeout=60) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            answer = await client.get(f"{running.settings.base_url}/session", headers=headers)
            waits.append((time.perf_counter() - began) * 1000)
            if answer.status_code != httpx.codes.OK:
                raise RuntimeError(f"a user was refused: {answer.status_code} {answer.text}")
            await asyncio.sleep(EVERY_SECONDS)
    return waits


async def _livekit(running: Installation, seconds: float) -> list[float]:
    number, waits, poster = 0, [], Poster(running.settings.base_url)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number += 1
        if number % RECONNECTS_AFTER == 0:
            await poster.close()
            poster = Poster(running.settings.base_url)
        event = Person("webhooks", number).event("participant_joined")
        began = time.perf_counter()
        await poster.post(event)
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY_SECONDS)
    await poster.close()
    return waits
