"""Which segments may go, and which buffers lose what when space is short."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.buffer.retention import Held, covers, fullness, is_too_much, may_go, shrink
from app.buffer.retention import RetentionCut as Cut
from tests.rows import PartOfRow
from tests.unit.buffer.rows import SECOND, run


def row(sequence: int, session: str = "s", length: int = 2) -> PartOfRow:
    start, end = length * sequence, length * (sequence + 1)
    return {
        "_id": f"{session}:{sequence}",
        "session_id": session,
        "sequence": sequence,
        "start_ticks": start * SECOND,
        "end_ticks": end * SECOND,
    }


def gone(rows: list[PartOfRow], pins: Any = None, newest: Any = None) -> set[int]:
    return {each["sequence"] for each in may_go(rows, pins or {}, newest or {})}


def test_a_pinned_segment_stays_and_so_does_the_one_whose_sound_it_needs() -> None:
    rows = [row(number) for number in range(10)]
    # From 8.05 s: the sound of that instant may lie in the segment that ends at 8 s.
    assert gone(rows, {"s": [(8 * SECOND + 4_500, 12 * SECOND)]}) == {0, 1, 2, 6, 7, 8, 9}
    assert gone(rows, {"s": [(9 * SECOND, None)]}) == {0, 1, 2, 3}
    assert gone(rows, {"other": [(0, None)]}) == set(range(10))


def test_the_newest_segment_of_a_live_session_stays_whatever_its_age() -> None:
    rows = [row(0), row(1), row(1, "over")]
    left = may_go(rows, {}, {"s": 1})
    assert [each["_id"] for each in left] == ["s:0", "over:1"]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=30, unique=True),
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 130), st.integers(0, 40))),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 60)),
)
def test_nothing_goes_that_is_pinned_or_newest_and_all_else_does(
    numbers: list[tuple[int, str]], stretches: list[tuple[str, int, int]], newest: dict[str, int]
) -> None:
    rows = [row(number, session) for number, session in numbers]
    pins: dict[str, list[tuple[int, int | None]]] = {}
    for session, start, length in stretches:
        pins.setdefault(session, []).append((start * SECOND, (start + length) * SECOND))
    going = may_go(rows, pins, newest)
    for each in going:
        assert newest.get(each["session_id"]) != each["sequence"]
        for start, end in pins.get(each["session_id"], []):
            assert end is not None
            assert each["end_ticks"] <= start or end <= each["start_ticks"]
    for each in rows:
        excused = newest.get(each["session_id"]) == each["sequence"] or covers(
            pins, each["session_id"], each["start_ticks"], each["end_ticks"]
        )
        assert excused != (each in going)


def test_more_than_half_of_everything_is_too_much_for_a_repair() -> None:
    assert not is_too_much(0, 0)
    assert not is_too_much(5, 5)
    assert is_too_much(6, 5)
    assert is_too_much(1, 0)


def held(session: str, seconds: float, clock: int = 0) -> Held:
    return Held(session, clock, (run(0, seconds),))


def test_who_holds_most_loses_most_and_who_holds_less_loses_nothing() -> None:
    buffers = {"long": [held("a", 600)], "longer": [held("b", 700)], "short": [held("c", 60)]}
    cuts = shrink(buffers, 500 * SECOND)
    assert cuts == [Cut("a", 100 * SECOND), Cut("b", 200 * SECOND)]


def test_a_buffer_loses_its_oldest_session_first() -> None:
    buffers = {"b": [held("new", 300, clock=2), held("old", 100, clock=1)]}
    assert shrink(buffers, 350 * SECOND) == [Cut("old", 50 * SECOND)]
    assert shrink(buffers, 250 * SECOND) == [Cut("old", 100 * SECOND), Cut("new", 50 * SECOND)]


def test_a_cut_counts_media_not_the_holes_between() -> None:
    holes = Held("s", 0, (run(0, 10), run(50, 60, 5), run(100, 110, 10)))
    assert shrink({"b": [holes]}, 15 * SECOND) == [Cut("s", 55 * SECOND)]


@given(
    st.lists(st.lists(st.integers(1, 600), min_size=1, max_size=3), min_size=1, max_size=6),
    st.integers(0, 1200),
)
def test_after_the_cuts_no_buffer_holds_more_than_the_level(
    sizes: list[list[int]], level: int
) -> None:
    buffers = {
        str(name): [held(f"{name}/{part}", size, part) for part, size in enumerate(parts)]
        for name, parts in enumerate(sizes)
    }
    cuts = {cut.session_id: cut.before_ticks for cut in shrink(buffers, level * SECOND)}
    for parts in buffers.values():
        lost = sum(cuts.get(part.session_id, 0) for part in parts)
        assert fullness(parts) - lost == min(fullness(parts), level * SECOND)


def test_nothing_is_cut_where_nothing_is_held() -> None:
    assert shrink({}, 0) == []
    assert shrink({"b": [Held("s", 0, ())]}, 0) == []
