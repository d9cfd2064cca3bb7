"""A clip of the last N seconds: ours, `cat` over the same segments, and how others do it.

`cat` reads the fragments, whose bytes are those that our clip holds. Every ratio is to the plain
`cat`, without fsync, of the same loop.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench import measure, media, ways
from tests.bench.ground import Ground
from tests.bench.recorded import TICKS, Recorded
from tests.bench.report import Result, result
from tests.bench.ways import Job, Made, Maker

OTHERS = ("ffmpeg_concat", "ffmpeg_m3u8", "pyav_concat")
FIRST = 1
"""The window begins within this segment; the one before it is our clip's lead-in for sound."""


def run(ground: Ground) -> list[Result]:
    results: list[Result] = []
    for seconds in ground.pick(quick=(30, 600), full=(30, 120, 300, 600)):
        index = listing(ground, ground.full_hd, seconds)
        jobs = [(way, False) for way in ("cat", "ours", *OTHERS)] + [("cat", True), ("ours", True)]
        if not ground.quick:
            jobs += [(way, True) for way in OTHERS]
        ground.say(f"capture of {seconds} s, page cache warm")
        results += _loop("capture", ground, index, seconds, jobs, ground.pick(quick=4, full=9))
    longest = listing(ground, ground.full_hd, 600)
    jobs = [("cat", False), ("ours", False), ("ffmpeg_concat", False)]
    ground.say("capture of 600 s, page cache cold")
    jobs = jobs[: ground.pick(quick=2, full=3)]
    cold = ground.pick(quick=1, full=5)
    results += _loop("capture_cold", ground, longest, 600, jobs, cold, cold=True)
    for each in ground.pick(quick=(), full=(4, 10)):
        recorded = ground.recorded(media.FULL_HD_60, each)
        index = listing(ground, recorded, 600)
        jobs = [(way, False) for way in ("cat", "ours", *OTHERS)]
        ground.say(f"capture of 600 s in segments of {each} s")
        results += _loop(f"capture_{each}s_segments", ground, index, 600, jobs, 5)
    return results


def listing(ground: Ground, recorded: Recorded, seconds: int, repeats: int = 1) -> Path:
    """Writes down which files a clip of `seconds` is made of, for `tests.bench.ways`."""
    each = recorded.session["segment_seconds"]
    end = FIRST + seconds // each + (1 if repeats == 1 else 0)
    name = f"{recorded.made.name}-{seconds}-{repeats}"
    path = ground.scratch / f"{name}.json"
    ts, fragments = recorded.ts[FIRST:end], recorded.fragments[FIRST:end]
    concat, playlist = path.with_suffix(".txt"), path.with_suffix(".m3u8")
    concat.write_text("".join(f"file '{part}'\n" for part in ts))
    lines = "".join(f"#EXTINF:{each:.3f},\n{part}\n" for part in ts)
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{each}\n{lines}#EXT-X-ENDLIST\n"
    )
    begin = recorded.rows[FIRST]["start_ticks"] + (TICKS if repeats == 1 else 0)
    content = {
        "ts": [str(part) for part in ts],
        "fragments": [str(part) for part in fragments] * repeats,
        "concat": str(concat),
        "playlist": str(playlist),
        "recorded": str(recorded.made),
        "rows": [FIRST - (repeats == 1), end],
        "repeats": repeats,
        "size_bytes": sum(part.stat().st_size for part in fragments) * repeats,
        "span": [begin, begin + seconds * repeats * TICKS],
    }
    path.write_text(json.dumps(content))
    return path


def job(ground: Ground, index: Path, way: str, copies: int = 1) -> Job:
    """The job of making this clip."""
    span = json.loads(index.read_text())["span"]
    out = str(ground.scratch / f"clip-{way}")
    return Job(way, str(index), out, (span[0], span[1]), copies)


def _loop(
    name: str,
    ground: Ground,
    index: Path,
    seconds: int,
    jobs: list[tuple[str, bool]],
    repeats: int,
    *,
    cold: bool = False,
) -> list[Result]:
    content = json.loads(index.read_text())
    files = [Path(path) for path in (*content["ts"], *content["fragments"])]
    slow = ground.pick(quick=1, full=5)
    fewer = {key: slow for key in jobs if key[0] in OTHERS}

    def make(maker: Maker, fsync: bool) -> Made:
        if cold:
            media.forget(files)
        return maker.make(fsync=fsync)

    if not cold:
        for path in files:
            path.read_bytes()
    with ways.makers({way: job(ground, index, way) for way, _ in jobs}) as makers:
        turns = {(way, fsync): partial(make, makers[way], fsync) for way, fsync in jobs}
        samples = measure.loops(turns, repeats, fewer)
    return list(_results(name, seconds, samples))


def _results(
    name: str, seconds: int, samples: dict[tuple[str, bool], list[Made]]
) -> Iterator[Result]:
    plain = [made.cost for made in samples["cat", False]]
    for (way, fsync), made in samples.items():
        params = {"seconds": seconds, "fsync": fsync}
        costs = [each.cost for each in made]
        yield result(name, way, params, "s", [c.seconds for c in costs], [c.seconds for c in plain])
        yield result(
            f"{name}_cpu",
            way,
            params,
            "s",
            [c.cpu_seconds for c in costs],
            [c.cpu_seconds for c in plain],
        )
        yield result(f"{name}_memory", way, params, "MB", [c.peak_bytes / 1e6 for c in costs])
