"""Harms a running service at random and checks that nothing promised is lost: see `--help`."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from app import logs
from app.settings import Settings, load
from deploy.local.run_record import FOLDER
from tests.chaos import plan, rounds, small_disk
from tests.chaos.rounds import Outcome
from tests.chaos.traffic import PEOPLE

ROUNDS = 20
SEEDS = 10_000


def main(argv: list[str] | None = None) -> int:
    """0 if all rounds were well, else 1."""
    arguments = _parser().parse_args(argv)
    apart, mounts = arguments.stores == "apart", small_disk.can_mount()
    kinds = plan.chosen(arguments.only, plan.possible(stores_apart=apart, small_disk=mounts))
    harms = plan.plan(arguments.seed, arguments.rounds, kinds, arguments.scale)
    folder = FOLDER / "chaos" / str(arguments.seed)
    if (left := folder / "service/media").is_mount():  # by a run that was killed
        asyncio.run(small_disk.unmount(left))
    shutil.rmtree(folder, ignore_errors=True)
    prepare(folder)
    if not mounts:
        _say("only root may mount a disk that can be filled: that is left out")
    _say(f"seed {arguments.seed}, {len(harms)} rounds; logs are in {folder}")
    running = rounds.run(
        folder,
        harms,
        arguments.seed,
        _say,
        people=arguments.people,
        stores_apart=apart,
        small_disk=mounts,
    )
    try:
        outcomes = asyncio.run(_until_told_to_end(running))
    except asyncio.CancelledError:
        print("ended by SIGTERM")
        return 1
    clean = sum(not outcome.faults for outcome in outcomes[1:])
    if clean < len(harms):
        print(f"{clean} of {len(harms)} rounds were clean; see {folder}")
        return 1
    shutil.rmtree(folder)
    print(f"all {clean} rounds were clean: seed {arguments.seed}")
    return 0


async def _until_told_to_end(running: Coroutine[Any, Any, list[Outcome]]) -> list[Outcome]:
    """Its result. SIGTERM cancels it, so that everything ends in order."""
    task = asyncio.ensure_future(running)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def _say(line: str) -> None:
    print(line, flush=True)


def prepare(folder: Path) -> None:
    """What processes of a site inherit: no settings of the developer's, a place of its own for
    temporary files, where those that are left are found.
    """
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    temporary = folder / "tmp"
    temporary.mkdir(parents=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    settings = load(
        _env_file=None, livekit_api_key="-", livekit_api_secret="-" * 32, log_level="error"
    )
    logs.configure(settings, "chaos")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.randrange(SEEDS),
        metavar="S",
        help="the same rounds again; without it another one each time, which is told",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="KIND",
        help=f"of {', '.join(map(str, plan.KINDS))}; or all of a deed, or of a target",
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="X", help="how long harms last; default: 1"
    )
    parser.add_argument(
        "--stores",
        choices=["embedded", "apart"],
        default="embedded",
        help="apart: they run by themselves, and what leads to them can be cut; default: embedded",
    )
    parser.add_argument(
        "--people", type=int, default=len(PEOPLE), metavar="N", help=f"default: {len(PEOPLE)}"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
