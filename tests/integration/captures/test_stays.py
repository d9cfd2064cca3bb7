"""Under `capture_policy: room` a clip holds what happened while its owner was in the room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.access import communities
from app.captures import preview
from app.context import Context
from app.errors import NotPermitted
from app.models.schema import Participant
from tests.integration.buffer.shares import DiskShare
from tests.integration.captures.checking import accepted, captured, done, live_share, waiting
from tests.integration.captures.conftest import BOB, MakeShare
from tests.media_factory import Recording
from tests.waiting import wait_for


async def was_there(ctx: Context, share: DiskShare, joined: float, left: float | None) -> None:
    """Bob, from and to seconds of the share."""
    await communities.configure(ctx.store, communities.DEFAULT, {"capture_policy": "room"})

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else share.start + timedelta(seconds=seconds)

    row: dict[str, Any] = {"sid": f"PA_{joined}", "room_sid": "RM", "room": "room"}
    row |= {"identity": "bob", "joined_at": at(joined), "left_at": at(left)}
    assert await ctx.store.create(Participant.model_validate(row))


def asked(share: DiskShare, start: float, end: float) -> dict[str, Any]:
    window = (share.start + timedelta(seconds=each) for each in (start, end))
    begin, finish = (each.isoformat(timespec="milliseconds") for each in window)
    return {"identity": "ada", "start": begin, "end": finish}


def seconds(share: DiskShare, instant: datetime | None) -> float:
    assert instant is not None
    return (instant - share.start).total_seconds()


async def test_a_stay_of_400_ms_at_the_end_gives_400_ms(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    await was_there(ctx, share, 13.6, None)
    made = await captured(ctx, BOB, **asked(share, 4, 14))
    assert made.clip is not None
    assert made.clip["duration_seconds"] == pytest.approx(0.4, abs=0.07)
    assert seconds(share, made.clip["delivered_start"]) == pytest.approx(13.6, abs=0.07)
    assert seconds(share, made.clip["requested_start"]) == pytest.approx(4, abs=0.001)
    assert made.clip["notes"] == ["while-present"]


async def test_whole_segments_are_not_had_of_what_a_stay_holds_in_part(
    ctx: Context, ended_share: MakeShare
) -> None:
    """It is cut to the frame, and says so."""
    [share] = await ended_share()
    await was_there(ctx, share, 5.4, 8.6)
    made = await captured(ctx, BOB, cut="segment", **asked(share, 4, 14))
    assert made.clip is not None
    assert (made.capture["cut"], made.clip["cut"]) == ("precise", "precise")
    assert seconds(share, made.clip["delivered_start"]) == pytest.approx(5.4, abs=0.07)
    assert 8.3 < seconds(share, made.clip["delivered_end"]) <= 8.601
    assert "while-present" in made.clip["notes"]


async def test_several_stays_give_the_pieces_with_gaps_between_them(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    await was_there(ctx, share, 2, 5)
    await was_there(ctx, share, 10, 13)
    made = await captured(ctx, BOB, **asked(share, 0, 18))
    assert made.clip is not None
    (gap,) = made.clip["gaps"]
    assert (gap["why"], gap["kept"]) == ("not-present", False)
    # A piece that is joined on begins at its first key frame, one in each 2 s.
    assert seconds(share, gap["start"]) == pytest.approx(5, abs=0.25)
    assert 10 <= seconds(share, gap["end"]) + 0.001 < 12
    assert 4 < made.clip["duration_seconds"] < 6.1
    assert seconds(share, made.clip["delivered_start"]) == pytest.approx(2, abs=0.07)
    assert seconds(share, made.clip["delivered_end"]) == pytest.approx(13, abs=0.25)


async def test_who_was_there_all_the_time_gets_all_and_is_told_of_nothing(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    await was_there(ctx, share, -5, None)
    made = await captured(ctx, BOB, **asked(share, 4, 14))
    assert made.clip is not None
    assert made.clip["notes"] == []
    assert made.clip["duration_seconds"] == pytest.approx(10, abs=0.1)


async def test_a_window_without_a_moment_of_the_stay_is_refused(
    ctx: Context, ended_share: MakeShare
) -> None:
    [share] = await ended_share()
    await was_there(ctx, share, 13.6, None)
    with pytest.raises(NotPermitted, match="while you were in the room"):
        await accepted(ctx, BOB, **asked(share, 4, 13))


async def test_who_leaves_before_the_window_ends_gets_nothing_of_after(
    ctx: Context, recording: Recording
) -> None:
    """Its end lay in the future when it was accepted."""
    async with live_share(ctx, recording, age=10, segments=5) as share:
        await was_there(ctx, share, 0, None)
        row, job = await waiting(ctx, BOB, identity="ada", last=6, post_roll=4)
        left_at = row["accepted_at"] + timedelta(seconds=1)
        await ctx.store.rows(Participant).update_one(
            {"identity": "bob"}, {"$set": {"left_at": left_at}}
        )
        await wait_for(lambda: datetime.now(UTC) > row["window_end"] - timedelta(seconds=1))
        share.commit(5)
        shown = await preview.watchable(ctx, row, datetime.now(UTC))
        assert shown.items[-1].start < left_at
        await job
    made = await done(ctx, row["_id"])
    assert made.clip is not None, made.capture
    assert seconds(share, made.clip["delivered_end"]) <= seconds(share, left_at)
    assert "while-present" in made.clip["notes"]


async def test_who_leaves_and_comes_back_before_the_window_ends_gets_nothing_of_between(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=10, segments=5) as share:
        await was_there(ctx, share, 0, None)
        row, job = await waiting(ctx, BOB, identity="ada", last=6, post_roll=7)
        left = seconds(share, row["accepted_at"]) + 0.5
        left_at = share.start + timedelta(seconds=left)
        await ctx.store.rows(Participant).update_one(
            {"identity": "bob"}, {"$set": {"left_at": left_at}}
        )
        await was_there(ctx, share, left + 3, None)
        await wait_for(lambda: datetime.now(UTC) > row["window_end"] - timedelta(seconds=1))
        share.commit(5)
        await job
    made = await done(ctx, row["_id"])
    assert made.clip is not None, made.capture
    (gap,) = made.clip["gaps"]
    assert gap["why"] == "not-present"
    assert seconds(share, gap["start"]) == pytest.approx(left, abs=0.25)
    assert seconds(share, gap["end"]) + 0.001 >= left + 3
    assert "while-present" in made.clip["notes"]
