"""Which buffer a new track goes on in, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import BufferRow, ParticipantRow, TrackRow
from app.models.schema import Buffer, Participant, Track
from app.recording import succession
from app.store import row_of

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEPT = timedelta(minutes=12)
ROOM: dict[str, Any] = {"room": "room", "room_sid": "RM", "identity": "ann"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def track(
    sid: str, published: float, *, of: str = "PA_1", ended: float | None = None, **fields: Any
) -> TrackRow:
    over: dict[str, Any] = {} if ended is None else {"live": False, "ended_at": at(ended)}
    return row_of(
        Track(
            sid=sid, participant_sid=of, video=True, published_at=at(published), **ROOM,
            **over | fields,
        )
    )  # fmt: skip


def buffer(of: TrackRow, *, ended: float | None = None, **fields: Any) -> BufferRow:
    return row_of(
        Buffer(
            id=f"b_{of['_id']}", participant_sid=of["participant_sid"], video_sid=of["_id"],
            since=of["published_at"] or T0, ended_at=None if ended is None else at(ended), **ROOM,
            **fields,
        )
    )  # fmt: skip


def goes_on_in(new: TrackRow, tracks: list[TrackRow], *buffers: BufferRow) -> list[str]:
    """The video tracks whose buffers are the new one's, the likeliest first, as it is published."""
    now = new["published_at"] or T0
    found = succession.earlier(new, [*tracks, new], {}, buffers, KEPT, now)
    return [row["video_sid"] for row in found]


OLD = track("TR_1", 0, ended=60)


@pytest.mark.parametrize("gone", [0.0, 5.0, KEPT.total_seconds()])
def test_a_share_that_begins_again_within_the_retention_goes_on(gone: float) -> None:
    new = track("TR_2", 60 + gone)
    assert goes_on_in(new, [OLD], buffer(OLD, ended=60)) == ["TR_1"]


def test_a_share_whose_media_is_forgotten_does_not_go_on() -> None:
    new = track("TR_2", 61 + KEPT.total_seconds())
    assert goes_on_in(new, [OLD], buffer(OLD, ended=60)) == []


def test_two_screens_at_once_stay_two() -> None:
    """They are two tracks of one connection."""
    first = track("TR_1", 0)
    assert goes_on_in(track("TR_2", 5), [first], buffer(first)) == []


def test_what_an_earlier_connection_has_published_is_over_whether_that_is_told_or_not() -> None:
    """LiveKit lets nobody be in a room twice."""
    old, new = track("TR_1", 0), track("TR_2", 60, of="PA_2")
    assert succession.is_over(old, [old, new], {})
    assert not succession.is_over(new, [old, new], {})
    assert goes_on_in(new, [old], buffer(old)) == ["TR_1"]


def person(sid: str, joined: float, *, left: float | None = None) -> dict[str, ParticipantRow]:
    left_at = None if left is None else at(left)
    return {sid: row_of(Participant(sid=sid, joined_at=at(joined), left_at=left_at, **ROOM))}


def test_which_connection_is_the_later_one_is_livekits_word() -> None:
    """Its own clock tells, whenever webhooks came and whatever ours was then."""
    old, new = track("TR_1", 20), track("TR_2", 0, of="PA_2")
    people = person("PA_1", 0) | person("PA_2", 60)
    assert succession.is_over(old, [old, new], people)
    assert not succession.is_over(new, [old, new], people)
    found = succession.earlier(new, [old, new], people, [buffer(old)], KEPT, at(20))
    assert [row["video_sid"] for row in found] == ["TR_1"]


@pytest.mark.parametrize("how", ["ended", "missed", "left"])
def test_what_is_gone_itself_ends_nothing(how: str) -> None:
    """Though it was told of later, as after a clock was set back."""
    gone: dict[str, Any] = {"ended": {"ended": 65}, "missed": {"missing": succession.MISSED_AFTER}}
    old = track("TR_1", 60, **gone.get(how, {}))
    new = track("TR_2", 40, of="PA_2")
    people = person("PA_1", 0, left=70) if how == "left" else {}
    assert succession.is_over(old, [old, new], people)
    assert not succession.is_over(new, [old, new], people)


def test_a_track_that_no_survey_lists_any_more_is_over() -> None:
    missed = track("TR_1", 0, missing=succession.MISSED_AFTER)
    assert goes_on_in(track("TR_2", 60), [missed], buffer(missed)) == ["TR_1"]
    once = track("TR_1", 0, missing=succession.MISSED_AFTER - 1)
    assert goes_on_in(track("TR_2", 60), [once], buffer(once)) == []


def test_of_shares_that_ended_apart_the_last_goes_on() -> None:
    first, second = track("TR_1", 0, ended=90), track("TR_2", 10, ended=50)
    rows = buffer(first, ended=90), buffer(second, ended=50)
    assert goes_on_in(track("TR_3", 100), [first, second], *rows) == ["TR_1", "TR_2"]


@pytest.mark.parametrize("ended", [(60.0, 60.4), (60.4, 60.0)])
def test_of_screens_that_ended_at_once_the_one_of_the_same_size_goes_on(
    ended: tuple[float, float],
) -> None:
    """A reconnect ends them all. Where size tells nothing, they come again as they came before."""
    wide: dict[str, Any] = {"width": 1920, "height": 1080}
    small: dict[str, Any] = {"width": 1280, "height": 720}
    first = track("TR_1", 0, ended=ended[0], **wide)
    second = track("TR_2", 5, ended=ended[1], **small)
    rows = buffer(first, ended=ended[0]), buffer(second, ended=ended[1])
    again = track("TR_3", 65, of="PA_2", **small)
    assert goes_on_in(again, [first, second], *rows)[0] == "TR_2"
    unknown = track("TR_3", 65, of="PA_2")
    assert goes_on_in(unknown, [first, second], *rows)[0] == "TR_1"


def test_a_share_whose_sharer_had_opted_out_goes_on_with_what_was_said_of_it() -> None:
    """Nothing that was recorded before is left in it; a stop is."""
    refused = buffer(OLD, ended=60, told="refused:opted-out", stops={"sharer": "private"})
    assert goes_on_in(track("TR_2", 70), [OLD], refused) == ["TR_1"]


def test_a_share_that_somebody_stopped_goes_on_and_stays_stopped() -> None:
    """What is said of it stands in its row, which nobody has written here."""
    stopped = buffer(OLD, ended=60, stops={"sharer": "private"}, told="refused:stopped-by-sharer")
    assert goes_on_in(track("TR_2", 70), [OLD], stopped) == ["TR_1"]


@given(
    screens=st.lists(st.tuples(st.floats(0, 50), st.booleans()), min_size=1, max_size=6),
    rejoins=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_each_share_that_is_over_goes_on_once_and_none_that_goes_on(
    screens: list[tuple[float, bool]], rejoins: bool, order: Any
) -> None:
    """Whatever order rows are read in: each of as many new tracks takes up another one."""
    tracks = [
        track(f"TR_{n}", published, ended=60 if over else None)
        for n, (published, over) in enumerate(screens)
    ]
    rows = {row["_id"]: row for row in (buffer(each) for each in tracks)}
    ended = {
        row["video_sid"] for row, (_, over) in zip(rows.values(), screens, strict=True) if over
    }
    expected = {each["_id"] for each in tracks} if rejoins else ended
    taken: list[str] = []
    for n in range(len(screens) + 1):
        new = track(f"TR_new_{n}", 61 + n, of="PA_2" if rejoins else "PA_1")
        shuffled = [*rows.values()]
        order.shuffle(shuffled)
        found = succession.earlier(new, [*tracks, new], {}, shuffled, KEPT, at(61 + n))
        tracks.append(new)
        if found:
            taken.append(found[0]["video_sid"])
            rows[found[0]["_id"]] = {**found[0], "video_sid": new["_id"]}
    assert sorted(taken) == sorted(expected)
