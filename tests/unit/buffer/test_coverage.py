"""Runs of segments: what makes one, what breaks one."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.buffer.coverage import RUNS, Coverage, without
from app.buffer.coverage import CoverageRun as Run
from tests.unit.buffer.rows import SECOND, run


def piece(sequence: int, **given: object) -> Run:
    return run(2 * sequence, 2 * sequence + 2, sequence, **given)


@given(st.permutations(range(12)))
def test_segments_make_one_run_in_whichever_order_they_come(order: list[int]) -> None:
    coverage = Coverage(piece(sequence) for sequence in order)
    assert coverage.runs == [run(0, 24)]


@given(st.sets(st.integers(0, 20)), st.randoms())
def test_exactly_what_was_added_is_covered(added: set[int], chance: random.Random) -> None:
    order = list(added)
    chance.shuffle(order)
    coverage = Coverage(piece(sequence) for sequence in order)
    assert [sequence for sequence in range(21) if sequence in coverage] == sorted(added)
    assert Coverage.read(coverage.documents()).runs == coverage.runs


def test_a_segment_that_comes_twice_counts_once() -> None:
    coverage = Coverage([piece(0), piece(1), piece(1), piece(0)])
    assert coverage.runs == [run(0, 4)]


def test_more_than_one_and_a_half_frames_without_media_are_a_hole() -> None:
    just = run(2 + 0.1, 4, 1)
    more = run(2 + 0.101, 4, 1)
    assert len(Coverage([piece(0), just]).runs) == 1
    assert len(Coverage([piece(0), more]).runs) == 2


def test_sound_that_ends_another_size_and_a_fault_begin_a_run() -> None:
    for change in ({"audio": False}, {"width": 640}, {"fault": "truncated"}):
        assert len(Coverage([piece(0), piece(1, **change), piece(2)]).runs) == 3
    faulty = [piece(0, fault="truncated"), piece(1, fault="truncated")]
    assert len(Coverage(faulty).runs) == 1


def test_trimming_forgets_old_runs_but_never_the_newest() -> None:
    coverage = Coverage([piece(0), piece(2), piece(4)])
    assert coverage.trim(5 * SECOND) == 2
    assert coverage.trim(999 * SECOND) == 4
    assert [found.first for found in coverage.runs] == [4]
    assert Coverage().trim(5) == 0


def test_a_stretch_is_cut_out_of_the_middle_of_a_run() -> None:
    left, right = without([run(0, 20)], 4 * SECOND, 6 * SECOND)
    assert (left.start_ticks, left.end_ticks) == (0, 4 * SECOND)
    assert (right.start_ticks, right.end_ticks) == (6 * SECOND, 20 * SECOND)
    assert without([run(0, 20)], 0, 20 * SECOND) == []
    assert without([run(0, 20)], 20 * SECOND, 30 * SECOND) == [run(0, 20)]


def test_a_session_of_nothing_but_holes_keeps_the_newest_runs() -> None:
    """Looking something up in them takes no longer, and their row stays small."""
    coverage = Coverage(piece(2 * number) for number in range(RUNS + 100))
    assert coverage.trim(0) == 200
    assert len(coverage.runs) == RUNS
    assert 198 not in coverage
    assert 200 in coverage
    assert coverage.lacks(200, 203)
    assert not coverage.lacks(200, 201)
