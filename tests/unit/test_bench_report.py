"""The benchmarks' numbers: ratios within a loop, the JSON's format, targets, tables."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.bench import history, measure, media, readme, report, several_runs, targets
from tests.bench.report import Result, result
from tests.bench.stretching import PACKET, Stretcher
from tests.media_factory import MediaFactory, Shape


def capture(way: str, values: list[float], cat: list[float], **params: bool | int) -> Result:
    return result("capture", way, {"seconds": 600, "fsync": False} | params, "s", values, cat)


def test_a_ratio_is_the_median_of_the_ratios_within_each_loop() -> None:
    # Loop 2 was slow for both: the medians' ratio would be 2, each loop's own is 1.5 or less.
    found = capture("ours", [1.5, 3.0, 30.0], [1.0, 30.0, 20.0])
    assert found.ratio == 1.5
    assert (found.min, found.median, found.max, found.count) == (1.5, 3.0, 30.0, 3)


def test_a_way_of_the_first_loops_only_is_compared_with_these() -> None:
    assert capture("ffmpeg_concat", [8.0], [1.0, 100.0]).ratio == 8.0


def test_samples_without_their_yardstick_are_refused() -> None:
    with pytest.raises(ValueError, match="2 samples beside 1"):
        capture("ours", [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="no samples"):
        capture("ours", [], [])


def test_a_99th_percentile_needs_a_hundred_samples() -> None:
    assert result("index", "ours", {}, "ms", list(range(1, 100))).p99 is None
    assert result("index", "ours", {}, "ms", list(range(1, 101))).p99 == 99.0


def test_the_json_says_what_the_contract_says() -> None:
    results = [capture("cat", [0.3], [0.3]), capture("ours", [0.33], [0.3])]
    verdicts = targets.verdicts(results)
    document = report.document({"cores": 2}, {"before": [0.1]}, results, verdicts)
    assert json.loads(json.dumps(document)) == document
    assert report.results(document) == results
    assert set(document) >= {"machine", "load", "results"}
    ours = document["results"][1]
    assert (
        ours.items()
        >= {
            "name": "capture",
            "way": "ours",
            "params": {"seconds": 600, "fsync": False},
            "unit": "s",
            "min": 0.33,
            "median": 0.33,
            "max": 0.33,
            "ratio": 1.1,
        }.items()
    )


def test_each_loop_runs_every_way_once_in_an_order_of_its_own() -> None:
    ran: list[str] = []
    ways = {name: lambda name=name: ran.append(name) for name in "abcdef"}
    samples = measure.loops(ways, 4, {"f": 1})
    assert [len(samples[name]) for name in "abcdef"] == [4, 4, 4, 4, 4, 1]
    orders = {"".join(ran[start : start + 5]) for start in (6, 11, 16)}
    assert len(orders) == 3
    assert all(sorted(order) == list("abcde") for order in orders)


def test_a_target_is_read_off_the_worst_result_that_matches() -> None:
    results = [capture("ours", [1.1], [1.0]), capture("ours", [9.0], [1.0], fsync=True)]
    plain, synced, *_ = targets.verdicts(results)
    assert (plain.measured, plain.met) == (1.1, True)
    assert (synced.measured, synced.met) == (9.0, False)


def test_a_target_that_was_not_measured_is_neither_met_nor_missed() -> None:
    assert all(one.met is None for one in targets.verdicts([]))


def test_the_reference_must_take_fifteen_times_as_long_as_ours() -> None:
    ours = capture("ours", [1.0], [1.0])
    assert targets.verdicts([ours, capture("ffmpeg_concat", [15.1], [1.0])])[-1].met is True
    assert targets.verdicts([ours, capture("ffmpeg_concat", [14.9], [1.0])])[-1].met is False


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n"
    new = report.between_markers(text, "bench", "new")
    assert new == "before\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nafter\n"
    assert report.between_markers(new, "bench", "new") == new
    with pytest.raises(ValueError, match="bench:begin"):
        report.between_markers("nothing here", "bench", "new")


def test_the_readme_has_a_place_for_the_numbers() -> None:
    text = readme.README.read_text()
    report.between_markers(text, readme.MARKER, "")


def test_numbers_are_told_with_three_digits() -> None:
    told = [report.number(value) for value in (None, 0, 0.01234, 1.5, 12.34, 1234.5)]
    assert told == ["-", "0", "0.0123", "1.50", "12.3", "1234"]


def test_shifted_segments_go_on_where_the_ones_before_ended(tmp_path: Path) -> None:
    """Times move by what was asked for and nothing else does; counters have no gap."""
    ts = MediaFactory(tmp_path).record(Shape(frames=30)).segments[0].path.read_bytes()
    stretcher = Stretcher()
    same, later = stretcher.shifted(ts, 0), stretcher.shifted(ts, 180_000)
    for place, data in enumerate((same, later)):
        (tmp_path / f"{place}.ts").write_bytes(data)
    times = [packets(tmp_path / f"{place}.ts") for place in (0, 1)]
    assert [(pts - 180_000, size) for pts, size in times[1]] == times[0]
    counters = [data[at + 3] & 0x0F for data in (same, later) for at in video_packets(data)]
    assert all((left + 1) % 16 == right for left, right in itertools.pairwise(counters))


def packets(path: Path) -> list[tuple[int, int]]:
    import av

    with av.open(str(path)) as container:
        return [(p.pts, p.size) for p in container.demux() if p.pts is not None]


def video_packets(ts: bytes) -> list[int]:
    """Where packets with video payload begin."""
    places = range(0, len(ts), PACKET)
    return [
        at for at in places if (ts[at + 1] & 0x1F) << 8 | ts[at + 2] == 0x100 and ts[at + 3] & 0x10
    ]


def test_a_cycle_must_join_without_a_seam(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        media.cycle(tmp_path, media.TINY, 10, 2)


def test_several_runs_are_one_by_their_medians() -> None:
    """A slow moment of one run is no result. What only one of them measured is there too."""
    runs = [[capture("ours", [seconds], [1.0])] for seconds in (1.1, 9.0, 1.2)]
    runs[1].append(capture("cat", [1.0], [1.0]))
    ours, cat = several_runs.joined(runs)
    assert (ours.way, cat.way) == ("ours", "cat")
    assert (ours.median, ours.ratio, ours.min, ours.max, ours.count) == (1.2, 1.2, 1.1, 9.0, 3)
    assert several_runs.joined(runs[:1]) == runs[0]


def test_a_failure_of_any_run_stays() -> None:
    runs = [{"index": "RuntimeError: late"}, {}, {"events": "503"}]
    assert several_runs.failures_of(runs) == {
        "index": "run 1 of 3: RuntimeError: late",
        "events": "run 3 of 3: 503",
    }


def measured(at: str, cores: int = 2, **numbers: float) -> history.Measured:
    machine = {"cores": cores, "cpu": "a", "file_system": "ext4"}
    verdicts = [
        targets.Verdict(what, 1.0, "x", what.startswith("least"), number, None)
        for what, number in numbers.items()
    ]
    return history.Measured(at, "abc", machine, verdicts)


def test_what_is_over_a_tenth_slower_than_before_is_told(tmp_path: Path) -> None:
    """On a machine of the same kind. What is to be large is worse when it is smaller."""
    old = measured("2026-11-20T10:00:00", capture=1.0, index=1.0, least=8.0, gone=1.0)
    other = measured("2026-11-21T10:00:00", cores=64, capture=0.1)
    new = measured("2026-11-22T10:00:00", capture=1.3, index=1.05, least=7.0, new=1.0)
    for each in (new, old, other):
        history.keep(each, tmp_path)
    assert history.kept(tmp_path) == [old, other, new]
    assert history.last_on(new.machine, [old, other]) == old
    found = history.slow_downs(old, new)
    assert [(one.what, one.before, one.now) for one in found] == [
        ("capture, x", 1.0, 1.3),
        ("least, x", 8.0, 7.0),
    ]
    assert history.slow_downs(new, old) == []


def test_every_target_has_a_name_of_its_own() -> None:
    """History knows them by it."""
    names = [one.what for one in targets.verdicts([])]
    assert sorted(set(names)) == sorted(names)
    assert {one.what for one in history.kept()[0].verdicts} <= set(names)
