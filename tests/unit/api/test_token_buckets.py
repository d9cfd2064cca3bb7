"""Token buckets: how many requests one user may send, whatever others send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.operation import OperationRoute
from app.api.token_buckets import FACTORS, Cost, Kept, Rates
from app.main import ROUTES
from app.work.rate_buckets import RateBuckets


def test_a_full_bucket_is_taken_at_once_and_fills_evenly() -> None:
    buckets = RateBuckets(60, seconds=60)
    assert [buckets.take("ann", 0.0) for _ in range(60)] == [0.0] * 60
    assert buckets.take("ann", 0.0) == pytest.approx(1.0)
    assert buckets.take("ann", 0.25) == pytest.approx(0.75)  # to ask again costs nothing
    assert buckets.take("bob", 0.25) == 0.0
    assert buckets.take("ann", 1.0) == 0.0
    assert buckets.take("ann", 1.0) > 0


@given(st.lists(st.floats(0, 5), max_size=300))
def test_never_more_than_a_bucket_and_what_flowed_in_are_taken(pauses: list[float]) -> None:
    buckets, now, taken = RateBuckets(10, seconds=10), 0.0, 0
    for pause in pauses:
        now += pause
        taken += buckets.take("ann", now) == 0.0
    assert taken <= 10 + now + 1e-6


@given(st.lists(st.floats(1.0001, 5), max_size=100))
def test_who_comes_seldom_enough_never_waits(pauses: list[float]) -> None:
    buckets, now = RateBuckets(10, seconds=10), 0.0
    for pause in pauses:
        now += pause
        assert buckets.take("ann", now) == 0.0


def test_a_limit_of_none_limits_nobody() -> None:
    buckets = RateBuckets(0)
    assert [buckets.take("ann", 0.0) for _ in range(1000)] == [0.0] * 1000


def test_the_buckets_of_any_number_of_users_take_no_more_memory() -> None:
    buckets = RateBuckets(1, keys=10)
    for number in range(100):
        assert buckets.take(str(number), 0.0) == 0.0
    assert len(buckets._left) == 10


def test_what_costs_more_is_rarer_and_one_kind_leaves_the_others_alone() -> None:
    limits = Rates(60)
    counts = {cost: _until_refused(limits, cost) for cost in FACTORS}
    assert counts == {
        Cost.MEDIA: 300,
        Cost.READ: 60,
        Cost.POSTER: 60,
        Cost.WINDOW: 30,
        Cost.WRITE: 15,
        Cost.PICTURE: 15,
    }


def test_all_who_have_somebodys_urls_may_send_four_times_as_much_as_one_user() -> None:
    rates, served = Rates(60), 0
    assert 60 <= sum(not rates.take(Cost.READ, "signed ann", "one") for _ in range(80)) < 80
    for number in range(20):
        served += sum(not rates.take(Cost.READ, "signed ann", f"{number}") for _ in range(60))
    assert 180 <= served < 190
    assert rates.take(Cost.READ, "ann") == rates.take(Cost.READ, "signed bob", "one") == 0.0


def test_of_what_is_kept_there_is_less_and_a_single_one_however_low_the_limit() -> None:
    for per_minute, most in ((1200, 60), (60, 3), (1, 1)):
        rates, count = Rates(per_minute), 0
        while not rates.keep(Kept.MESSAGE, "ann"):
            count += 1
        assert count == most
        assert rates.keep(Kept.MESSAGE, "bob") == rates.keep(Kept.CHANGE, "ann") == 0.0
    assert Rates(0).keep(Kept.MESSAGE, "ann") == 0.0


def test_every_change_says_what_is_kept_of_it() -> None:
    """But what leaves nothing: a session, an archive, a capture's end; marks have a bound."""
    nothing = {
        "create_session",
        "cancel_capture",
        "create_marker",
        "delete_marker",
        "create_archive",
    }
    changes = {
        route.endpoint.__name__: route.operation
        for route in ROUTES
        if isinstance(route, OperationRoute) and route.operation.cost is Cost.WRITE
    }
    assert {name for name, each in changes.items() if each.kept is None} == nothing


def _until_refused(limits: Rates, cost: Cost) -> int:
    count = 0
    while not limits.take(cost, "ann"):
        count += 1
    return count
