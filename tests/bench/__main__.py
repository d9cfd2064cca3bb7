"""Runs the benchmarks and tells what they found: see `--help`."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from app import logs
from app.settings import load
from deploy.local.run_record import FOLDER
from tests.bench import (
    bench_admission,
    bench_at_rest,
    bench_capture,
    bench_clips,
    bench_events,
    bench_growth,
    bench_index,
    bench_prepare,
    bench_queries,
    bench_served,
    bench_strangers,
    history,
    host,
    plot,
    readme,
    report,
    running,
    several_runs,
    targets,
)
from tests.bench.ground import Ground
from tests.bench.report import Result

ROOT = running.ROOT
BENCHES: dict[str, Callable[[Ground], list[Result] | Awaitable[list[Result]]]] = {
    "capture": bench_capture.run,
    "growth": bench_growth.run,
    "served": bench_served.run,
    "prepare": bench_prepare.run,
    "index": bench_index.run,
    "events": bench_events.run,
    "admission": bench_admission.run,
    "clips": bench_clips.run,
    "queries": bench_queries.run,
    "strangers": bench_strangers.run,
    "at_rest": bench_at_rest.run,
}


def main(argv: list[str] | None = None) -> int:
    """0; 1 if a benchmark failed. A target that is missed is told, and no failure."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.quick and arguments.keep:
        parser.error("--keep: what --quick measures does not compare with what was kept")
    running.clean_environment()
    settings = load(
        _env_file=None, livekit_api_key="-", livekit_api_secret="-" * 32, log_level="warning"
    )
    logs.configure(settings, "bench")
    ground = Ground(FOLDER / "bench", arguments.quick)
    machine = host.machine() | {"file_system": host.file_system(ROOT)}
    documents = [json.loads(path.read_text()) for path in arguments.earlier]
    before = [host.load(), *(each["load"]["before"] for each in documents)]
    by_bench: dict[str, list[float]] = {}
    for each in documents:
        by_bench |= each["load"]["benches"]
    results: list[Result] = []
    failures: dict[str, str] = {}
    for name in BENCHES if arguments.only is None else arguments.only:
        by_bench[name] = host.load()
        began = time.monotonic()
        try:
            results += _run(BENCHES[name], ground)
        except Exception as error:  # noqa: BLE001 - told below; the others are still worth having
            traceback.print_exc()
            failures[name] = f"{type(error).__name__}: {error}"
        ground.say(f"{name} took {time.monotonic() - began:.0f} s")
    results = several_runs.joined([*map(report.results, documents), results])
    failures = several_runs.failures_of([*(each["failures"] for each in documents), failures])
    verdicts = targets.verdicts(results)
    after = [host.load(), *(each["load"]["after"] for each in documents)]
    told = {"before": max(before), "after": max(after), "benches": by_bench}
    print(report.tables(results), end="\n\n")
    print(_held(verdicts), end="\n\n")
    print(f"load average before {told['before']}, after {told['after']}")
    for name, failure in failures.items():
        print(f"FAILED {name}: {failure}")
    if arguments.json:
        document = report.document(machine, told, results, verdicts, failures)
        arguments.json.write_text(json.dumps(document, indent=1) + "\n")
    if arguments.readme:
        caption = f"{machine['at'][:10]}, {machine['cores']} cores, {machine['file_system']}"
        plot.draw(results, readme.PICTURE, caption)
        section = readme.section(machine, told, results, verdicts)
        text = readme.README.read_text()
        readme.README.write_text(report.between_markers(text, readme.MARKER, section))
    if arguments.keep:
        _keep(history.Measured(machine["at"], host.commit(ROOT), machine, verdicts))
    return 1 if failures else 0


def _keep(now: history.Measured) -> None:
    """Adds it to the history, tells what has become slower, and draws all of it."""
    last = history.last_on(now.machine, history.kept())
    print(f"kept in {history.keep(now).relative_to(ROOT)}")
    if last is None:
        print("nothing was measured before on a machine of this kind")
    else:
        for one in history.slow_downs(last, now):
            print(f"SLOWER by {one.by:.0%} than {last.at[:10]}: {one.what}, {one.before:g} to "
                  f"{one.now:g}")  # fmt: skip
    plot.draw_history(history.kept(), readme.HISTORY_PICTURE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything once over: < 3 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--only",
        nargs="*",
        choices=BENCHES,
        metavar="NAME",
        help=f"of {', '.join(BENCHES)}; without a name: none, just what --earlier brings",
    )
    parser.add_argument(
        "--earlier",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="join what --json wrote there: medians of the runs, failures of any of them; of the "
        "loads, the highest is told",
    )
    parser.add_argument(
        "--readme", action="store_true", help="renew the table and picture of deploy/README.md"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="add it to tests/bench/history, and tell what is over 10 %% slower than before",
    )
    return parser


def _run(
    bench: Callable[[Ground], list[Result] | Awaitable[list[Result]]], ground: Ground
) -> list[Result]:
    found = bench(ground)
    if inspect.iscoroutine(found):
        return asyncio.run(found)
    assert isinstance(found, list)
    return found


def _held(verdicts: list[targets.Verdict]) -> str:
    met = {True: "reached", False: "MISSED", None: "not measured"}
    rows = [
        [
            one.what,
            met[one.met],
            report.number(one.measured),
            f"{'>=' if one.at_least else '<='} {one.limit:g} {one.unit}",
        ]
        for one in verdicts
    ]
    return report.table(["target", "", "measured", "limit"], rows)


if __name__ == "__main__":
    sys.exit(main())
