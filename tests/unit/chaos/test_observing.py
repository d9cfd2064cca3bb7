"""What the chaos suite makes of what it sees: events that came, egresses that run."""

from __future__ import annotations

from tests.chaos.event_receiver import EventReceiver
from tests.chaos.live import Live


def receiver(*events: tuple[int, str]) -> EventReceiver:
    """One that was told these numbers of a room, and under which ids."""
    made = EventReceiver()
    for number, event_id in events:
        made.note({"room": {"name": "r"}, "replay": {"number": number}, "id": event_id})
    return made


def test_every_number_up_to_the_newest_comes_and_stands_for_one_event() -> None:
    assert receiver((1, "a"), (3, "c"), (2, "b"), (2, "b")).faults({"r": 3}) == []


def test_a_number_that_never_came_is_told() -> None:
    assert receiver((1, "a"), (3, "c")).faults({"r": 4}) == ["events [2, 4] of room 'r' never came"]
    assert receiver().faults({"r": 1}) == ["events [1] of room 'r' never came"]


def test_a_number_that_stands_for_two_events_is_told() -> None:
    assert receiver((1, "a"), (1, "b")).faults({"r": 1}) == ["event 1 of room 'r' stands for a, b"]


def test_each_share_has_one_egress_and_each_egress_a_share() -> None:
    shares = {"TR_a": "ada"}
    assert Live(shares, {"TR_a": ["EG_1"]}).faults(["ada"]) == []
    assert Live(shares, {"TR_a": ["EG_1", "EG_2"]}).faults(["ada"]) != []
    assert Live(shares, {}).faults(["ada"]) != []
    assert Live(shares, {"TR_a": ["EG_1"], "TR_b": ["EG_2"]}).faults(["ada"]) != []
    assert Live(shares, {"TR_a": ["EG_1"]}).faults(["ada", "bob"]) == ["bob does not share"]
