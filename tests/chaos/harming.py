"""Harms a site, and heals it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress

from tests.chaos.link import Link
from tests.chaos.plan import OURS, STORES, THEIRS, Deed, Harm
from tests.chaos.site import Site
from tests.chaos.small_disk import SmallDisk
from tests.waiting import PATIENCE_SECONDS, wait_for

SLOW_PERIOD_SECONDS = 0.1
SLOW_FRACTION = 0.1
"""What slow processes are given of their time."""
DELAY_SECONDS = 0.1
"""Each way; a request makes some ten round trips to the database."""


async def inflict(site: Site, harm: Harm) -> None:
    """Does the harm; returns when it is healed, as far as that is ours to do."""
    target = harm.kind.target
    match harm.kind.deed:
        case Deed.STOP:
            await _stopped(await _pid(site, target), harm.seconds)
        case Deed.SLOW:
            await _slowed(await _pid(site, target), harm.seconds)
        case Deed.KILL | Deed.TERM:
            await _end(site, harm)
        case Deed.CUT | Deed.HOLD | Deed.DELAY:
            await _separate(site.links[target], harm)
        case Deed.FILL | Deed.PROTECT:
            assert site.disk is not None
            await _spoil(site.disk, harm)


async def _end(site: Site, harm: Harm) -> None:
    target, is_kill = harm.kind.target, harm.kind.deed == Deed.KILL
    if target in THEIRS:
        await (site.stack.kill if is_kill else site.stack.stop)(target)
        await asyncio.sleep(harm.seconds)
        await site.stack.start(target)
    elif target == "supervisor":
        await (site.service.kill if is_kill else site.service.stop)()
        await asyncio.sleep(harm.seconds)
        await site.service.start()
    else:
        await _ended(site, target, signal.SIGKILL if is_kill else signal.SIGTERM)


async def _separate(link: Link, harm: Harm) -> None:
    match harm.kind.deed:
        case Deed.CUT:
            link.cut()
        case Deed.HOLD:
            link.hold()
        case _:
            link.delay(DELAY_SECONDS)
    await asyncio.sleep(harm.seconds)
    link.heal()


async def _spoil(disk: SmallDisk, harm: Harm) -> None:
    if harm.kind.deed == Deed.FILL:
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(harm.seconds)
        disk.empty()
    else:
        await disk.protect()
        await asyncio.sleep(harm.seconds)
        await disk.unprotect()


async def _pid(site: Site, target: str) -> int:
    assert target in OURS + THEIRS
    return await wait_for(lambda: site.pids().get(target), what=f"{target} runs")


async def _ended(site: Site, target: str, sign: signal.Signals) -> None:
    """A process that the supervisor starts again has ended, and another one runs."""
    pid = await _pid(site, target)
    os.kill(pid, sign)

    def another() -> bool:
        return site.pids().get(target, pid) != pid

    # the stores take their time to let go; nothing is to be lost meanwhile
    patience = PATIENCE_SECONDS * (2 if target in STORES else 1)
    await wait_for(another, patience, what=f"{target} runs again after {sign.name}")


async def _stopped(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):  # somebody else has killed it
            os.kill(pid, signal.SIGCONT)


async def _slowed(pid: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    with suppress(ProcessLookupError):
        while time.monotonic() < until:
            await _stopped(pid, SLOW_PERIOD_SECONDS * (1 - SLOW_FRACTION))
            await asyncio.sleep(SLOW_PERIOD_SECONDS * SLOW_FRACTION)
