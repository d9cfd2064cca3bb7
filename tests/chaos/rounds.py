"""The rounds: all goes well for a while, something is harmed, it heals, all is well again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.checks import Checks
from tests.chaos.harming import inflict
from tests.chaos.plan import Harm
from tests.chaos.restless import erase, stop_for_a_while, toggle
from tests.chaos.site import Site, site
from tests.chaos.traffic import PEOPLE, Traffic
from tests.pace import Pace

WELL_SECONDS = 150.0
"""A share whose egress has died five times within minutes waits for one; all else is faster.
For a machine that does nothing else: a slower one gets more."""
LOOK_SECONDS = 0.5
AFTERWARDS_SECONDS = 3.0
"""How long people go on after it has healed."""


@dataclass(frozen=True)
class Outcome:
    """What became of a round. `faults`: what was not well in the end."""

    harm: Harm | None
    well_after_seconds: float
    told: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        harm = self.harm
        done = f"{harm.kind} for {harm.seconds:.1f} s" if harm else "nothing harmed"
        if self.faults:
            return "\n    ".join(
                [f"{done}: NOT WELL after {self.well_after_seconds:.0f} s", *self.faults]
            )
        return f"{done}: well after {self.well_after_seconds:.1f} s; {self.told}"


async def run(
    folder: Path,
    harms: Sequence[Harm],
    seed: int,
    say: Callable[[str], None],
    *,
    people: int = len(PEOPLE),
    stores_apart: bool = False,
    small_disk: bool = False,
) -> list[Outcome]:
    """Runs the rounds on a site of their own; ends after the first that is not well.

    `say` gets a line for each. A first one, in which nothing is harmed, comes before them.
    """
    outcomes: list[Outcome] = []
    async with AsyncExitStack() as stack:
        pace = stack.enter_context(Pace())
        ground = await stack.enter_async_context(
            site(folder, stores_apart=stores_apart, small_disk=small_disk)
        )
        traffic = Traffic(ground, seed, people, [toggle, stop_for_a_while, erase])
        checks = Checks(ground, traffic, pace)
        await stack.enter_async_context(traffic.running())
        for number, harm in enumerate([None, *harms]):
            outcome = await _round(ground, traffic, checks, harm, WELL_SECONDS * pace.slowdown)
            outcomes.append(outcome)
            say(f"round {number}/{len(harms)}: {outcome}")
            if outcome.faults:
                break
    return outcomes


async def _round(
    site: Site, traffic: Traffic, checks: Checks, harm: Harm | None, patience_seconds: float
) -> Outcome:
    asked, events = len(traffic.captures), site.events.count
    checks.expect(harm)
    traffic.resume()
    await asyncio.sleep(harm.after_seconds if harm else AFTERWARDS_SECONDS)
    if harm is not None:
        traffic.rush()
        await inflict(site, harm)
    healed = time.monotonic()
    await asyncio.sleep(AFTERWARDS_SECONDS)
    await traffic.pause()
    while faults := await checks.faults():
        if checks.lasting or time.monotonic() - healed > patience_seconds:
            break
        await asyncio.sleep(LOOK_SECONDS)
    well = time.monotonic() - healed
    captures = [*traffic.captures.values()][asked:]
    counts = Counter(each.reason or each.status for each in captures)
    told = (
        f"{len(captures)} captures ({', '.join(f'{n} {what}' for what, n in counts.items())}), "
        f"{site.events.count - events} events, {len(traffic.sharers)} shares"
    )
    return Outcome(harm, well, told, tuple(faults))
