"""tests.chaos.plan: the rounds of a seed."""

from __future__ import annotations

import pytest

from tests.chaos.plan import DISK, KINDS, STORE_WAYS, Deed, chosen, plan, possible


def test_a_seed_gives_the_same_rounds_again() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)


def test_more_rounds_of_a_seed_begin_with_the_same_ones() -> None:
    """So the 150th of 200 can be had by as many rounds."""
    assert plan(7, 200)[:60] == plan(7, 60)


def test_each_kind_comes_once_before_any_comes_again() -> None:
    for begin in (0, len(KINDS)):
        kinds = [harm.kind for harm in plan(3, 2 * len(KINDS))[begin : begin + len(KINDS)]]
        assert sorted(map(str, kinds)) == sorted(map(str, KINDS))


def test_a_scale_shortens_what_is_done_and_not_what_is_drawn() -> None:
    whole, short = plan(5, 50), plan(5, 50, scale=0.1)
    assert [harm.kind for harm in short] == [harm.kind for harm in whole]
    assert all(a.seconds < b.seconds for a, b in zip(short, whole, strict=True) if b.seconds > 0.5)


def test_what_is_stopped_is_stopped_for_5_to_40_s() -> None:
    stops = [harm.seconds for harm in plan(11, 200) if harm.kind.deed == Deed.STOP]
    assert 5 <= min(stops) < 15
    assert 30 < max(stops) <= 40


def test_kinds_are_named_by_deed_by_target_or_by_both() -> None:
    assert {kind.deed for kind in chosen(["kill"])} == {Deed.KILL}
    assert {kind.target for kind in chosen(["api"])} == {"api"}
    assert list(map(str, chosen(["stop:store"]))) == ["stop:store"]
    assert chosen([]) == list(KINDS)


def test_a_word_that_names_no_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"'kil'.*kill:api"):
        chosen(["kil"])


def test_what_a_site_does_not_have_is_not_harmed() -> None:
    """Nobody connects to embedded stores through us, and only root mounts a disk."""
    targets = {kind.target for kind in possible(stores_apart=False, small_disk=False)}
    assert {*STORE_WAYS, DISK} & targets == set()
    assert possible(stores_apart=True, small_disk=True) == list(KINDS)
