"""Spans, gaps and states of a buffer, from rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.models import (
    BufferGapWhy,
    BufferRow,
    EncodingWhy,
    FaultSlug,
    SessionRole,
    SessionRow,
)
from app.viewing.spans import Gap
from app.viewing.timeline import Timeline, build
from tests.unit.buffer.rows import SECOND, START, at, buffer, indexed, over, run, session

LONG_AGO = START - timedelta(hours=1)


def timeline(
    sessions: list[SessionRow],
    media: dict[str, Any],
    now: float = 100,
    *,
    row: BufferRow | None = None,
    offered: float = -3600,
) -> Timeline:
    return build(row or buffer(), sessions, media, at(now), at(offered))


def test_a_run_is_a_span_on_the_wall_clock_of_its_session() -> None:
    found = timeline([session(clock_at=5)], {"s": indexed(run(0, 60))})
    (span,) = found.spans
    assert (span.start, span.end) == (at(5), at(65))
    assert (span.start_ticks, span.end_ticks) == (0, 60 * SECOND)
    assert (span.audio, span.width, span.height) == (True, 1280, 720)
    assert (found.oldest, found.newest, found.seconds, found.audio) == (at(5), at(65), 60.0, True)
    assert found.gaps == ()
    assert found.session_ids == ("s",)


def test_only_what_is_offered_is_shown() -> None:
    found = timeline([session()], {"s": indexed(run(0, 60))}, offered=50)
    (span,) = found.spans
    assert (span.start, span.start_ticks) == (at(50), 50 * SECOND)
    assert timeline([session()], {"s": indexed(run(0, 60))}, offered=60).spans == ()


def test_a_hole_within_a_session_is_a_gap_of_lost_media() -> None:
    found = timeline([session()], {"s": indexed(run(0, 10), run(12, 20, 6))})
    assert found.gaps == (Gap(at(10), at(12), BufferGapWhy.LOST),)
    assert len(found.spans) == 2
    assert found.seconds == 18


def test_a_quarantined_segment_is_a_gap_with_its_fault() -> None:
    runs = (run(0, 10), run(10, 12, 5, fault="truncated"), run(12, 20, 6))
    found = timeline([session()], {"s": indexed(*runs)})
    assert found.gaps == (Gap(at(10), at(12), FaultSlug("truncated")),)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"status": "EGRESS_COMPLETE"}, BufferGapWhy.EGRESS_ENDED),
        ({"stopped_for": "stopped-by-sharer"}, BufferGapWhy.REFUSED),
        ({"status": "EGRESS_FAILED"}, BufferGapWhy.EGRESS_FAILED),
        ({"status": "EGRESS_LIMIT_REACHED"}, BufferGapWhy.EGRESS_FAILED),
        ({"status": "EGRESS_ACTIVE", "ghost_at": at(30)}, BufferGapWhy.EGRESS_FAILED),
    ],
)
def test_the_time_between_two_sessions_is_a_gap_that_says_how_the_first_ended(
    given: dict[str, Any], why: BufferGapWhy
) -> None:
    sessions = [over("a", **given), session("b", 40)]
    media = {"a": indexed(run(0, 30)), "b": indexed(run(0, 10))}
    found = timeline(sessions, media)
    assert found.gaps == (Gap(at(30), at(40), why),)
    assert found.session_ids == ("a", "b")


def test_the_time_between_two_tracks_of_a_share_is_a_gap_in_which_nothing_was_shared() -> None:
    """However the egress of the first one ended: it ends with its track."""
    row = buffer(video_sid="TR_again")
    sessions = [over("a", status="EGRESS_FAILED"), session("b", 40, video_sid="TR_again")]
    found = timeline(sessions, {"a": indexed(run(0, 30)), "b": indexed(run(0, 10))}, row=row)
    assert found.gaps == (Gap(at(30), at(40), BufferGapWhy.NOT_SHARED),)
    assert (found.oldest, found.newest, found.seconds) == (at(0), at(50), 40)


def test_what_records_the_track_that_is_shared_now_is_what_goes_on() -> None:
    """Also before it has media, and while an egress of the track before is the current one."""
    before = session("a")
    now = session("b", None, role="next", active_at=None, video_sid="TR_again")
    row = buffer(video_sid="TR_again")
    found = timeline([before, now], {"a": indexed(run(0, 30))}, row=row)
    assert found.recording_session == now
    assert (found.state, found.newest) == ("starting", at(30))
    assert timeline([before], {}, row=row).recording_session == before


def test_a_newer_session_holds_from_its_first_frame() -> None:
    sessions = [over("a"), session("b", 40)]
    media = {"a": indexed(run(0, 60)), "b": indexed(run(1, 21))}
    found = timeline(sessions, media)
    assert [(span.start, span.end) for span in found.spans] == [(at(0), at(41)), (at(41), at(61))]
    assert found.spans[0].end_ticks == 41 * SECOND
    assert found.gaps == ()


def test_sessions_stand_in_the_order_of_their_media_not_of_their_rows() -> None:
    sessions = [session("b", 40), over("a")]
    media = {"a": indexed(run(0, 40)), "b": indexed(run(0, 10))}
    assert [span.session_id for span in timeline(sessions, media).spans] == ["a", "b"]


def test_each_span_tells_its_encoding_and_the_share_that_of_what_is_recorded_now_and_why() -> None:
    """While the first of two still records, it is that one's. It may not be known."""
    why = EncodingWhy.BEHIND
    first = session("a", encoding="H264_1080P_60")
    second = session("b", 40, role="next", encoding="H264_1080P_30", encoding_why=why)
    media = {"a": indexed(run(0, 60)), "b": indexed(run(1, 21))}
    found = timeline([first, second], media)
    assert [span.encoding for span in found.spans] == ["H264_1080P_60", "H264_1080P_30"]
    assert (found.encoding, found.encoding_why) == ("H264_1080P_60", None)
    ended = over("a", encoding="H264_1080P_60")
    found = timeline([ended, {**second, "role": SessionRole.CURRENT}], media)
    assert (found.encoding, found.encoding_why) == ("H264_1080P_30", why)
    found = timeline([over()], {"s": indexed(run(0, 60))}, row=buffer(ended_at=at(60)))
    assert (found.encoding, found.encoding_why, found.spans[0].encoding) == (None, None, None)


def test_a_clock_that_only_stands_in_is_said() -> None:
    media = {"s": indexed(run(0, 60))}
    assert timeline([session()], media).clock == "exact"
    assert timeline([session(clock_exact=False)], media).clock == "approximate"


@pytest.mark.parametrize(
    ("newest", "indexed_at", "state"),
    [
        (100 - 5.3, 100 - 2, "recording"),
        (100 - 9.1, 100 - 2, "lagging"),
        (100 - 30, 100 - 2, "lagging"),
        (100 - 30, 100 - 16.1, "stalled"),
    ],
)
def test_old_media_lags_and_no_media_stalls(newest: float, indexed_at: float, state: str) -> None:
    """Segments of 2 s: lagging after 3d + 3 s, stalled after 3d + 10 s."""
    media = {"s": indexed(run(0, newest), newest_at=at(indexed_at))}
    assert timeline([session()], media).state == state


@pytest.mark.parametrize(("forgotten", "state"), [(95, "starting"), (80, "stalled")])
def test_a_recording_of_which_all_was_forgotten_begins_anew(forgotten: float, state: str) -> None:
    row = buffer(forget_before=at(forgotten))
    assert timeline([session(active_at=at(0))], {}, row=row).state == state
    media = {"s": indexed(run(0, forgotten - 1), newest_at=at(forgotten - 1))}
    assert timeline([session(active_at=at(0))], media, row=row).state == state


@pytest.mark.edge("active and no segment")
def test_an_egress_that_is_active_and_brings_nothing_is_stalled() -> None:
    assert timeline([session(active_at=at(90))], {}).state == "starting"
    assert timeline([session(active_at=None, created_at=at(0))], {}).state == "starting"
    assert timeline([session(active_at=at(80))], {}).state == "stalled"


@pytest.mark.parametrize(
    ("given", "sessions", "state", "why"),
    [
        ({}, [], "waiting", None),
        ({"why": "no-worker"}, [], "waiting", "no-worker"),
        ({"why": "no-worker"}, [over(ended_at=at(1))], "waiting", "no-worker"),
        ({"why": "encrypted"}, [], "refused", "encrypted"),
        ({"ended_at": at(50)}, [over(ended_at=at(50))], "ended", None),
        ({"ended_at": at(50)}, [session(role=None, ended_at=at(50))], "ended", None),
        ({"why": "starting"}, [session(active_at=None)], "starting", "starting"),
    ],
)
def test_a_buffer_without_media_says_what_it_waits_for(
    given: dict[str, Any], sessions: list[SessionRow], state: str, why: str | None
) -> None:
    found = timeline(sessions, {}, row=buffer(**given))
    assert (found.state, found.why) == (state, why)
    assert (found.oldest, found.newest, found.seconds, found.audio) == (None, None, 0.0, False)


def test_media_may_still_come_until_a_session_is_read_to_its_end() -> None:
    assert timeline([over()], {}).recording_session is None
    draining = session(role=None, ended_at=at(99))
    assert timeline([draining], {}).recording_session == draining
    both = [session("a"), session("b", role="next", created_at=at(1))]
    assert timeline(both, {}).recording_session == both[0]
    assert timeline([session(ghost_at=at(9))], {}).recording_session is None


def test_what_is_marked_stays_when_it_is_older_than_what_is_offered() -> None:
    """The rest of that time is a gap of its own; what can be had at once is told as before."""
    sessions, media = [session()], {"s": indexed(run(0, 1000))}
    marks = [(at(100), at(175)), (at(380), at(455))]
    found = build(buffer(), sessions, media, at(1000), at(400), marks)
    assert [(span.start, span.end) for span in found.spans] == [
        (at(100), at(175)),
        (at(380), at(1000)),
    ]
    assert found.spans[0].start_ticks == 100 * SECOND
    assert found.gaps == (Gap(at(175), at(380), BufferGapWhy.EXPIRED),)
    assert (found.oldest, found.newest, found.seconds) == (at(400), at(1000), 600)


def test_a_hole_within_what_is_marked_keeps_its_reason() -> None:
    media = {"s": indexed(run(100, 110), run(120, 130, 10), run(900, 1000, 400))}
    found = build(buffer(), [session()], media, at(1000), at(800), [(at(90), at(165))])
    assert [gap.why for gap in found.gaps] == ["lost", "expired"]


def test_of_a_share_of_which_only_marked_stretches_are_left_the_newest_can_be_had_at_once() -> None:
    media = {"s": indexed(run(100, 110), run(1000, 1010, 400))}
    marks = [(at(50), at(125)), (at(950), at(1025))]
    found = build(buffer(ended_at=at(1010)), [over()], media, at(5000), at(4400), marks)
    assert (found.oldest, found.newest, found.seconds) == (at(1000), at(1010), 10)
    assert len(found.spans) == 2


def test_what_is_forgotten_is_not_shown_though_it_was_marked() -> None:
    row = buffer(forget_before=at(150))
    marks = [(at(100), at(175)), (at(200), at(275))]
    media = {"s": indexed(run(0, 1000))}
    found = build(row, [session()], media, at(1000), at(400), marks)
    assert [span.start for span in found.spans] == [at(152), at(200), at(400)]


def test_a_part_that_is_being_deleted_is_a_gap_and_neither_late_nor_stalled() -> None:
    """With the segment that was open at its end, of which some was recorded in it."""
    part = {"start": at(40), "end": at(60), "captures_ended": True}
    media = {"s": indexed(run(0, 100), newest_at=at(99))}
    found = timeline([session()], media, row=buffer(forget_ranges=[part]))
    assert found.gaps == (Gap(at(40), at(62), FaultSlug.DELETED),)
    assert [(span.start, span.end) for span in found.spans] == [(at(0), at(40)), (at(62), at(100))]
    part = {"start": at(40), "end": at(100), "captures_ended": True}
    found = timeline([session()], media, row=buffer(forget_ranges=[part]))
    assert found.gaps == (Gap(at(40), at(100), FaultSlug.DELETED),)
    assert found.newest == at(40)
    assert found.state == "recording"


def test_a_part_beside_what_there_is_changes_nothing() -> None:
    part = {"start": at(200), "end": at(260), "captures_ended": True}
    media = {"s": indexed(run(0, 100)), "later": indexed()}
    sessions = [session(), session("unknown", None), session("none", 500), session("later", 90)]
    found = timeline(sessions, media, row=buffer(forget_ranges=[part]))
    assert [(span.start, span.end) for span in found.spans] == [(at(0), at(100))]
    assert found.gaps == ()
