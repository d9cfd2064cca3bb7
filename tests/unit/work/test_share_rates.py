"""How often shares begin: whoever shares, stops and shares again never notices, a flood does."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from app.work.share_rates import Often, ShareRates

PER_HOUR = 12
SLOTS = 3

taken = st.tuples(st.floats(0, 300), st.sampled_from(["ann", "bob", "eve", "joe", "kim"]))


@given(st.lists(taken, max_size=300))
def test_whoever_asks_there_are_no_more_than_are_theirs_and_their_communitys(
    asked: list[tuple[float, str]],
) -> None:
    """Of one no more than flows in and was there at first; of all so many for each slot."""
    rates, now, begun = ShareRates(PER_HOUR), 0.0, Counter[str]()
    for pause, who in asked:
        now += pause
        wait = rates.take(Often.BEGIN, "guild", SLOTS, who, now)
        begun[who] += not wait
        assert wait <= 3600 / PER_HOUR + 1e-6
    most = PER_HOUR * (1 + now / 3600)
    assert max(begun.values(), default=0) <= most + 1e-6
    assert begun.total() <= SLOTS * most + 1e-6


@given(st.lists(st.floats(3600 / PER_HOUR + 1e-3, 3600), max_size=100))
def test_who_begins_seldom_enough_never_waits(pauses: list[float]) -> None:
    rates, now = ShareRates(PER_HOUR), 0.0
    for pause in pauses:
        now += pause
        assert rates.take(Often.BEGIN, "guild", 1, "ann", now) == 0.0


def test_dozens_of_shares_an_hour_are_nobodys_flood() -> None:
    """By the default: a hundred within minutes, and then one each minute, for hours."""
    rates = ShareRates(120)
    moments = [second * 3.0 for second in range(100)] + [minute * 60.0 for minute in range(5, 600)]
    assert {rates.take(Often.BEGIN, "guild", 5, "ann", now) for now in moments} == {0.0}


def test_who_floods_keeps_no_other_waiting_and_nothing_else_of_theirs() -> None:
    """Neither another user, nor another community, nor that a refusal is told."""
    rates = ShareRates(PER_HOUR)
    while not rates.take(Often.BEGIN, "guild", SLOTS, "eve", 0.0):
        pass
    assert rates.take(Often.BEGIN, "guild", SLOTS, "ann", 0.0) == 0.0
    assert rates.take(Often.BEGIN, "team", SLOTS, "eve", 0.0) == 0.0
    assert rates.take(Often.REFUSED, "guild", SLOTS, "eve", 0.0) == 0.0


def test_a_refused_one_takes_nothing_from_the_others() -> None:
    """However often it asks: what flows in for the community is there for all."""
    rates = ShareRates(PER_HOUR)
    for _ in range(10 * PER_HOUR):
        rates.take(Often.BEGIN, "guild", 2, "eve", 0.0)
    begun = sum(not rates.take(Often.BEGIN, "guild", 2, "ann", 0.0) for _ in range(2 * PER_HOUR))
    assert begun == PER_HOUR


def test_without_a_number_there_may_be_any() -> None:
    rates = ShareRates(0)
    assert {rates.take(Often.BEGIN, "guild", 1, "ann", 0.0) for _ in range(1000)} == {0.0}
