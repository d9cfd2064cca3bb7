"""How egresses of the stand-in begin, go on and end, against LIVEKIT facts."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import redis.asyncio
from livekit import api

from tests.integration.standin.conftest import TRACK_TIMEOUT_SECONDS, Field, side_by_side
from tests.pace import Pace
from tests.waiting import wait_for


def video_times(paths: list[Path]) -> list[float]:
    """Media times of all frames, from 0."""
    times = []
    for path in paths:
        with av.open(str(path)) as container:
            times += sorted(
                p.pts / 90_000 - 3600 for p in container.demux(video=0) if p.pts is not None
            )
    return times


def means(path: Path) -> list[float]:
    """Mean grey of each frame."""
    with av.open(str(path)) as container:
        return [float(f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]


def ended_playlist(field: Field, room: str) -> bool:
    return field.full(room).endswith("#EXT-X-ENDLIST\n")


async def test_start_answers_before_it_is_active(field: Field) -> None:
    """An idle worker is chosen after half a second; a working one at once."""
    share = await field.share("start")
    for is_idle in (True, False):
        with Pace() as pace:
            await field.start("start", share.video_sid, share.audio_sid)
        if is_idle:
            assert pace.seconds > 0.5
        assert pace.fair_seconds < (1.5 if is_idle else 0.5)


@side_by_side
async def test_recorder_is_a_hidden_participant(field: Field) -> None:
    """The API lists EG_… of kind EGRESS while the egress lives."""
    _, egress_id = await field.recorded("hidden")

    async def recorders() -> list[Any]:
        found = await field.lk.room.list_participants(api.ListParticipantsRequest(room="hidden"))
        return [p for p in found.participants if p.kind == api.ParticipantInfo.Kind.EGRESS]

    [recorder] = await recorders()
    assert recorder.identity == egress_id
    assert recorder.permission.hidden
    await field.stop(egress_id)
    await field.status(egress_id, "EGRESS_COMPLETE")
    assert await recorders() == []


@side_by_side
async def test_stop_twice_is_no_error_while_running(field: Field) -> None:
    """The second StopEgress is answered as the first; after the end it is failed_precondition."""
    _, egress_id = await field.recorded("twice")
    answers = await asyncio.gather(
        field.stop(egress_id), field.stop(egress_id), return_exceptions=True
    )
    ending, complete = api.EgressStatus.EGRESS_ENDING, api.EgressStatus.EGRESS_COMPLETE
    statuses = {answer.status for answer in answers if isinstance(answer, api.EgressInfo)}
    assert ending in statuses <= {ending, complete}
    for late in answers:  # on a slow day one of the two comes after the end
        if isinstance(late, BaseException):
            assert "EGRESS_COMPLETE" in str(late)
    await field.status(egress_id, "EGRESS_COMPLETE")
    with pytest.raises(api.TwirpError) as refused:
        await field.stop(egress_id)
    assert refused.value.code == "failed_precondition"
    assert len([e for e in field.webhooks.of(egress_id) if e["event"] == "egress_ended"]) == 1


@side_by_side
async def test_publisher_leaves(field: Field) -> None:
    """The publisher leaves: COMPLETE, "Source closed", with all files, in under 3 s."""
    await closes(field, "leave")


@side_by_side
async def test_room_is_deleted(field: Field) -> None:
    """The room is deleted: COMPLETE, "Source closed", with all files, in under 3 s."""
    await closes(field, "delete_room")


async def closes(field: Field, how: str) -> None:
    room = f"closed-{how}"
    share, egress_id = await field.recorded(room)
    await field.listed(room, 1)
    with Pace() as pace:
        if how == "leave":
            await share.done("leave")
        else:
            await field.lk.room.delete_room(api.DeleteRoomRequest(room=room))
        info = await field.status(egress_id, "EGRESS_COMPLETE")
    assert pace.fair_seconds < 3
    assert info.details == "End reason: Source closed"
    assert info.segment_results[0].segment_count == len(field.segments(room)) > 1
    assert ended_playlist(field, room)


@side_by_side
async def test_source_closed_before_it_is_active(field: Field) -> None:
    """A share that is gone at once ends as not found, or as aborted, and leaves no files."""
    share = await field.share("gone")
    egress_id = await field.start("gone", share.video_sid, share.audio_sid)
    await share.done("leave")

    async def ended() -> api.EgressInfo | None:
        info = await field.info(egress_id)
        return info if info.ended_at else None

    assert (await wait_for(ended)).error_code in (404, 412)
    assert not (field.out / "gone").exists()


@side_by_side
async def test_unknown_video_track(field: Field) -> None:
    """A video track that never comes: FAILED 404 after the timeout, nothing recorded."""
    await is_not_found(field, "video")


@side_by_side
async def test_unknown_audio_track(field: Field) -> None:
    """An audio track that never comes: FAILED 404 after the timeout, nothing recorded."""
    await is_not_found(field, "audio")


async def is_not_found(field: Field, wrong: str) -> None:
    room = f"unknown-{wrong}"
    share = await field.share(room)
    sids = {"video": share.video_sid, "audio": share.audio_sid} | {wrong: "TR_nowhere"}
    begin = time.monotonic()
    egress_id = await field.start(room, sids["video"], sids["audio"])
    info = await field.status(egress_id, "EGRESS_FAILED")
    assert time.monotonic() - begin > TRACK_TIMEOUT_SECONDS
    assert (info.error, info.error_code) == ('track "TR_nowhere" not found', 404)
    assert info.details == "End reason: Failure"
    assert not (field.out / room).exists()


@side_by_side
async def test_unknown_room(field: Field) -> None:
    """A room that the server does not know is 404 at once."""
    with pytest.raises(api.TwirpError) as refused:
        await field.start("no-such-room", "TR_x")
    assert refused.value.code == "not_found"


@side_by_side
async def test_bad_encoding_is_refused(field: Field) -> None:
    """Odd sides are invalid_argument, as with the real one."""
    share = await field.share("odd")
    with pytest.raises(api.TwirpError) as refused:
        await field.start(
            "odd", share.video_sid, advanced=api.EncodingOptions(width=641, height=360)
        )
    assert refused.value.code == "invalid_argument"


@side_by_side
async def test_video_unpublished_while_audio_lives(field: Field) -> None:
    """No more segments and still ACTIVE; stopping closes what was open."""
    room = "audio-only"
    share, egress_id = await field.recorded(room)
    await field.listed(room, 2)
    await share.done("unpublish_video")
    names: list[str] = []
    since = time.monotonic()

    async def nothing_comes() -> bool:
        """For as long as two segments take; those that were closed may still come."""
        nonlocal names, since
        found = await field.listed(room, 2)
        if found != names:
            names, since = found, time.monotonic()
        return time.monotonic() - since > 2.5

    await wait_for(nothing_comes)
    assert (await field.info(egress_id)).status == api.EgressStatus.EGRESS_ACTIVE
    await field.stop(egress_id)
    await field.status(egress_id, "EGRESS_COMPLETE")
    assert len(await field.listed(room, 2)) > len(names)
    assert ended_playlist(field, room)


@side_by_side
async def test_audio_unpublished_goes_on_with_silence(field: Field) -> None:
    """Segments come on after the audio went, their sound is silent and without gap."""
    room = "no-sound"
    share, egress_id = await field.recorded(room)
    await share.done("unpublish_audio")
    count = len(await field.listed(room, 1))
    await field.listed(room, count + 3)
    await field.stop(egress_id)
    await field.status(egress_id, "EGRESS_COMPLETE")
    pts: list[Any] = []
    for path in field.segments(room):
        with av.open(str(path)) as container:
            pts += [p.pts for p in container.demux(audio=0) if p.size]
    assert max(b - a for a, b in itertools.pairwise(pts)) < 2100
    with av.open(str(field.segments(room)[-2])) as container:
        assert max(float(np.abs(f.to_ndarray()).max()) for f in container.decode(audio=0)) < 0.01


@side_by_side
async def test_mute_gives_black_and_a_hole(field: Field) -> None:
    """Muted video is black; on its return the picture has a hole and one segment is long."""
    room = "mute"
    share, egress_id = await field.recorded(room)
    await field.listed(room, 1)
    await share.done("mute")
    count = len(await field.listed(room, 1))
    await field.listed(room, count + 3)
    await share.done("unmute")
    count = len(await field.listed(room, 1))
    await field.listed(room, count + 3)
    await field.stop(egress_id)
    await field.status(egress_id, "EGRESS_COMPLETE")
    greys = [grey for path in field.segments(room) for grey in means(path)]
    assert sum(grey < 2 for grey in greys) > 10
    assert greys[-1] > 20
    steps = [b - a for a, b in itertools.pairwise(video_times(field.segments(room)))]
    assert 1.0 < max(steps) < 2.3
    assert sorted(steps)[-2] < 0.07
    durations = [float(r[8:-1]) for r in field.full(room).splitlines() if r.startswith("#EXTINF")]
    assert max(durations) > 1.9


@side_by_side
async def test_resize_breaks_nothing(field: Field) -> None:
    """A share that changes its size and shape is letterboxed, without a gap."""
    room = "resize"
    share, egress_id = await field.recorded(room)
    for width, height in ((360, 640), (333, 777), (640, 360)):
        await share.done("resize", width=width, height=height)
        count = len(await field.listed(room, 1))
        await field.listed(room, count + 1)
    await field.stop(egress_id)
    await field.status(egress_id, "EGRESS_COMPLETE")
    steps = [b - a for a, b in itertools.pairwise(video_times(field.segments(room)))]
    assert max(steps) < 0.07
    for path in field.segments(room):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.height) == (640, 360)


@side_by_side
async def test_killed_publisher_leaves_black(field: Field) -> None:
    """Nobody tells of a killed publisher: black segments go on."""
    room = "killed"
    share, egress_id = await field.recorded(room)
    await field.listed(room, 1)
    await share.kill()
    count = len(await field.listed(room, 1))
    names = await field.listed(room, count + 7)
    assert max(means(field.out / room / names[-1])) < 2
    await field.stop(egress_id)


@side_by_side
async def test_several_at_once(field: Field) -> None:
    """Three shares in two rooms are recorded at the same time, each by itself."""
    shares = await asyncio.gather(
        field.share("many-1", "alice"),
        field.share("many-1", "bob", audio=False),
        field.share("many-2", "alice"),
    )
    rooms = ["many-1", "many-1", "many-2"]
    prefixes = [str(field.out / f"many/{n}") for n in range(3)]
    ids = []
    for share, room, prefix in zip(shares, rooms, prefixes, strict=True):
        output = api.SegmentedFileOutput(
            filename_prefix=prefix,
            playlist_name=f"{prefix[-1]}.m3u8",
            segment_duration=1,
            filename_suffix=api.SegmentedFileSuffix.TIMESTAMP,
        )
        ids.append(
            await field.start(room, share.video_sid, share.audio_sid, segment_outputs=[output])
        )
    for egress_id in ids:
        await field.status(egress_id, "EGRESS_ACTIVE")
    playlists = [Path(f"{prefix}.m3u8") for prefix in prefixes]
    await wait_for(lambda: all(p.exists() and p.read_text().count(".ts") > 1 for p in playlists))
    for egress_id in ids:
        await field.stop(egress_id)
        await field.status(egress_id, "EGRESS_COMPLETE")
    for egress_id, prefix in zip(ids, prefixes, strict=True):
        times = video_times(sorted(Path(prefix).parent.glob(f"{prefix[-1]}_*.ts")))
        assert max(b - a for a, b in itertools.pairwise(times)) < 0.07
        assert (field.out / f"many/{egress_id}.json").exists()


async def test_sigterm_ends_egresses_cleanly(field: Field) -> None:
    """A worker that is asked to end completes its egresses first, and the server hears it."""
    room = "term"
    _, egress_id = await field.recorded(room)
    await field.listed(room, 1)
    await field.stack.stop("egress")
    info = await field.info(egress_id)
    assert info.status == api.EgressStatus.EGRESS_COMPLETE
    assert info.details == "End reason: Process killed"
    assert ended_playlist(field, room)


async def test_sigkill_leaves_a_ghost(field: Field) -> None:
    """A killed worker's egress stays ACTIVE; a new worker does not own it: stop is 408."""
    _, egress_id = await field.recorded("ghost")
    await field.stack.kill("egress")
    await field.stack.start("egress")
    assert (await field.info(egress_id)).status == api.EgressStatus.EGRESS_ACTIVE
    with pytest.raises(api.TwirpError) as refused:
        await field.stop(egress_id)
    assert refused.value.code == "deadline_exceeded"


async def test_nobody_else_speaks_on_the_bus(field: Field) -> None:
    """Other users of the machine find its port, and none of its files."""
    stranger = redis.asyncio.Redis(port=field.stack.redis_port)
    with pytest.raises(redis.asyncio.AuthenticationError):
        await stranger.publish("EgressInternal|StartEgress|REQ", b"")
    await stranger.aclose()
    for name in ("valkey.conf", "livekit.yaml", "egress.yaml"):
        assert (field.stack.folder / name).stat().st_mode & 0o777 == 0o600, name


async def test_redis_restart_is_survived(field: Field) -> None:
    """After Redis was away a running egress can be stopped and a new one started."""
    room = "redis"
    share, egress_id = await field.recorded(room)
    await field.stack.kill("valkey")
    await field.stack.start("valkey")

    async def stopped() -> bool:
        try:
            return bool(await field.stop(egress_id))
        except api.TwirpError:
            return False

    await wait_for(stopped)
    await field.status(egress_id, "EGRESS_COMPLETE")
    again = await field.start(room, share.video_sid, share.audio_sid)
    await field.status(again, "EGRESS_ACTIVE")
    await field.stop(again)


async def test_server_restart_closes_the_source(field: Field) -> None:
    """After a restart tracks have new ids: the egress completes, and tells the new server so."""
    room = "server"
    share, egress_id = await field.recorded(room)
    await field.listed(room, 1)
    await field.stack.kill("livekit")
    await field.stack.start("livekit")
    info = await field.status(egress_id, "EGRESS_COMPLETE")
    assert info.details == "End reason: Source closed"
    assert ended_playlist(field, room)
    await share.told("reconnected")
