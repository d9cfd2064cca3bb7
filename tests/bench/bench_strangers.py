"""How long a user waits while strangers without a token do their worst.

The user's requests come over connections of their own, each as a browser's first. The strangers
are another program: `tests.bench.attacks`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from urllib.parse import urlsplit

import httpx

from tests.bench.attacks import ATTACKS
from tests.bench.ground import Ground
from tests.bench.report import Result, result
from tests.bench.running import ROOT, Installation, installation

EVERY_SECONDS = 0.04


async def run(ground: Ground) -> list[Result]:
    seconds = ground.pick(quick=6, full=30)
    results = []
    async with installation(ground, "strangers", ("api",)) as running:
        await _user(running, 1.0)  # the first answers find everything cold
        for attack in ATTACKS:
            ground.say(f"strangers: {attack}")
            waits = await _beside(running, attack, seconds)
            results.append(result("beside_strangers", attack, {}, "ms", waits))
    return results


async def _beside(running: Installation, attack: str, seconds: float) -> list[float]:
    """What a user waited for each answer while the attack went on, in ms."""
    url = urlsplit(running.settings.base_url)
    command = (sys.executable, "-m", "tests.bench.attacks", attack, url.hostname or "", url.port)
    program = await asyncio.create_subprocess_exec(*map(str, command), str(seconds), cwd=ROOT)
    waits = await _user(running, seconds - 1)
    if await program.wait():
        raise RuntimeError(f"the attack {attack} failed")
    return waits


async def _user(running: Installation, seconds: float) -> list[float]:
    headers, waits = running.headers("user"), []
    until = time.monotonic() + seconds
    none_kept = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=none_kept) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            answer = await client.get(f"{running.settings.base_url}/session", headers=headers)
            waits.append((time.perf_counter() - began) * 1000)
            if answer.status_code != httpx.codes.OK:
                raise RuntimeError(f"a user was refused: {answer.status_code} {answer.text}")
            await asyncio.sleep(EVERY_SECONDS)
    return waits
