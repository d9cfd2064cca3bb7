"""The same assertions over what the real egress wrote and over what the stand-in writes."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import itertools
import json
import re
import statistics
from pathlib import Path
from typing import Any

import av
import jwt
import numpy as np
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict

from deploy.local import picture_clock
from tests.integration.standin.conftest import Field
from tests.integration.standin.recording import Recording, real
from tests.pace import Pace
from tests.waiting import wait_for

ROOM = "contract"
SEGMENT_SECONDS = 2
HEAD = ["#EXT-X-ALLOW-CACHE:NO", f"#EXT-X-TARGETDURATION:{SEGMENT_SECONDS}"]
SHARE_EVENTS = ["room_started", "participant_joined", "track_published"]


@pytest_asyncio.fixture(scope="session")
async def standin(field_of_session: Field, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A share of 10 s with audio, ended by unpublishing; observed as the real one was."""
    field = field_of_session
    seen = tmp_path_factory.mktemp("playlists")
    listed: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    share = await field.share(ROOM)
    before = len(field.webhooks.received)
    egress_id = await field.start(ROOM, share.video_sid, share.audio_sid, seconds=SEGMENT_SECONDS)

    async def observe() -> None:
        while True:
            for name in ("full.m3u8", "live.m3u8"):
                path = field.out / ROOM / name
                text = path.read_text() if path.exists() else None
                if text is not None and text != texts.get(name):
                    texts[name] = text
                    (seen / f"{len(list(seen.iterdir())):03d}_{name}").write_text(text)
            info = MessageToDict(await field.info(egress_id), preserving_proto_field_name=True)
            if not listed or info != listed[-1]:
                listed.append(info)
            await asyncio.sleep(0.02)

    observing = asyncio.create_task(observe())
    with Pace() as pace:
        await field.listed(ROOM, 3)
    await share.done("unpublish_video")
    await share.done("unpublish_audio")
    await field.status(egress_id, "EGRESS_COMPLETE")
    await wait_for(lambda: listed[-1].get("ended_at"))
    await share.done("leave")
    webhooks = field.webhooks.received
    await wait_for(lambda: [w for w in webhooks[before:] if w["body"]["event"] == "egress_ended"])
    await wait_for(lambda: webhooks[-1]["body"]["event"] == "participant_left")
    observing.cancel()
    mine = [w for w in webhooks if ROOM in (w["body"].get("room", {}).get("name"), _room(w))]
    return Recording(
        egress_id, mine, listed, sorted(seen.iterdir()), field.out / ROOM, True, pace.slowdown
    )


def _room(webhook: dict[str, Any]) -> str:
    return str(webhook["body"].get("egressInfo", {}).get("roomName"))


@pytest.fixture(params=["real", "standin"])
def recording(request: pytest.FixtureRequest) -> Recording:
    """A share with audio that ended by unpublishing."""
    if request.param == "real":
        return real("share_2s")
    found: Recording = request.getfixturevalue("standin")
    return found


def segments_of(text: str) -> list[tuple[datetime.datetime, float, str]]:
    """(PROGRAM-DATE-TIME, EXTINF, name) of each segment; fails on any unexpected line."""
    rows = text.splitlines()
    assert text.endswith("\n")
    assert rows[:2] == ["#EXTM3U", "#EXT-X-VERSION:4"]
    rows = rows[2:]
    event = rows[0] == "#EXT-X-PLAYLIST-TYPE:EVENT"
    rows = rows[event:]
    assert rows[:2] == HEAD
    assert re.fullmatch(r"#EXT-X-MEDIA-SEQUENCE:\d+", rows[2])
    assert not event or rows[2].endswith(":0")
    rows = rows[3:]
    if rows and rows[-1] == "#EXT-X-ENDLIST":
        rows.pop()
    found = []
    for n in range(0, len(rows), 3):
        moment = re.fullmatch(
            r"#EXT-X-PROGRAM-DATE-TIME:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?Z)", rows[n]
        )
        duration = re.fullmatch(r"#EXTINF:(\d+\.\d{3}),", rows[n + 1])
        assert moment, rows[n]
        assert duration, rows[n + 1]
        found.append((datetime.datetime.fromisoformat(moment[1]), float(duration[1]), rows[n + 2]))
    return found


def test_playlists_have_one_grammar(recording: Recording) -> None:
    """Every playlist that a reader saw is empty, or whole lines of the known kinds in order."""
    full = [p.read_text() for p in recording.playlists if "full" in p.name]
    live = [p.read_text() for p in recording.playlists if "live" in p.name]
    assert len(full) >= 3
    assert len(live) >= 3
    for text in filter(None, full):
        assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
        segments_of(text)
    for text in filter(None, live):
        assert "PLAYLIST-TYPE" not in text
        assert len(segments_of(text)) <= 5
    assert all(text.endswith("#EXT-X-ENDLIST\n") for text in (full[-1], live[-1]))
    assert not any("ENDLIST" in text for text in full[:-1])


def test_playlists_only_grow(recording: Recording) -> None:
    """A segment once named in the full playlist stays as it was; the live one is its end."""
    texts = [p.read_text() for p in recording.playlists if "full" in p.name]
    full = [segments_of(text) for text in texts if text]
    for earlier, later in itertools.pairwise(full):
        assert later[: len(earlier)] == earlier
    text = (recording.out / "live.m3u8").read_text()
    live = segments_of(text)
    assert live == full[-1][-5:]
    first = re.search(r"MEDIA-SEQUENCE:(\d+)", text)
    assert first
    assert int(first[1]) == len(full[-1]) - len(live)


def test_names_are_program_date_times(recording: Recording) -> None:
    """A file is named by its PROGRAM-DATE-TIME, which goes on by EXTINF."""
    segments = segments_of((recording.out / "full.m3u8").read_text())
    for moment, _, name in segments:
        stamp = moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"
        assert name == f"seg_{stamp}.ts"
    for (moment, duration, _), (following, _, _) in itertools.pairwise(segments):
        assert (following - moment).total_seconds() == pytest.approx(duration, abs=0.002)
        assert duration == SEGMENT_SECONDS
    assert 0 < segments[-1][1] <= SEGMENT_SECONDS


def test_names_are_late_against_started_at(recording: Recording) -> None:
    """File names are 1.2 to 2.2 s later than the first frame's capture."""
    first, _, _ = segments_of((recording.out / "full.m3u8").read_text())[0]
    started = int(recording.infos[-1]["segment_results"][0]["started_at"]) / 1e9
    assert 1.2 <= first.timestamp() - started <= 2.2


def test_infos_go_through_the_statuses(recording: Recording) -> None:
    """STARTING, ACTIVE, ENDING, COMPLETE, with the fields that each of them brings."""
    infos = recording.infos
    # protojson leaves out 0, which is STARTING.
    statuses = [info.get("status", "EGRESS_STARTING") for info in infos]
    assert statuses == ["EGRESS_STARTING", "EGRESS_ACTIVE", "EGRESS_ENDING", "EGRESS_COMPLETE"]
    starting, active, ending, complete = infos
    for info in infos:
        assert info["room_name"]
        assert info["source_type"] == "EGRESS_SOURCE_TYPE_SDK"
        assert info["segments"] == info["segment_results"][0]
        assert "error" not in info
        assert "error_code" not in info
    folder = Path(starting["track_composite"]["segment_outputs"][0]["filename_prefix"]).parent
    names = {
        "playlist_name": str(folder / "full.m3u8"),
        "live_playlist_name": str(folder / "live.m3u8"),
    }
    places = {
        "playlist_location": names["playlist_name"],
        "live_playlist_location": names["live_playlist_name"],
    }
    assert starting["segment_results"] == [names]
    started = {"started_at": active["segment_results"][0]["started_at"]}
    assert active["segment_results"] == [names | started]
    assert "details" not in active
    counted = {key: ending["segment_results"][0][key] for key in ("size", "segment_count")}
    assert ending["segment_results"] == [names | places | started | counted]
    results = complete["segment_results"][0]
    assert set(results) == {*names, *places, *started, *counted, "duration", "ended_at"}
    assert int(results["duration"]) == int(results["ended_at"]) - int(started["started_at"])
    listed = segments_of((recording.out / "full.m3u8").read_text())
    assert int(results["segment_count"]) == len(listed)
    assert int(results["segment_count"]) > int(counted["segment_count"])
    if recording.whole:
        assert int(results["size"]) == sum(path.stat().st_size for path in recording.segments)
    for info in (ending, complete):
        assert info["details"] == "End reason: Source closed"
    assert complete["started_at"] == active["started_at"]
    assert int(starting["started_at"]) < int(active["started_at"]) < int(started["started_at"])
    assert int(complete["ended_at"]) > int(results["ended_at"])
    assert ["ended_at" in info for info in infos] == [False, False, False, True]


def test_webhooks_come_in_order(recording: Recording) -> None:
    """A recorder joins and leaves between the egress events, its own kind of participant."""
    told = []
    for webhook in recording.webhooks:
        body = webhook["body"]
        who = body.get("participant", {})
        egress = body.get("egressInfo", {})
        if who.get("identity") == recording.egress_id:
            assert who["kind"] == "EGRESS"
            assert who["permission"] == {"canSubscribe": True, "hidden": True, "recorder": True}
            told.append(f"recorder {body['event']}")
        elif egress:
            told.append(f"{body['event']} {egress.get('status', 'EGRESS_STARTING')}")
    # Egress events and room events have no order between them.
    assert told[:2] == ["egress_started EGRESS_STARTING", "recorder participant_joined"]
    assert [event for event in told if event.startswith("recorder")] == [
        "recorder participant_joined",
        "recorder participant_left",
    ]
    assert [event for event in told if not event.startswith("recorder")] == [
        "egress_started EGRESS_STARTING",
        "egress_updated EGRESS_ACTIVE",
        "egress_updated EGRESS_ENDING",
        "egress_ended EGRESS_COMPLETE",
    ]


def test_list_egress_gives_what_webhooks_told(recording: Recording) -> None:
    """Each state that ListEgress gave was told by a webhook, the last one is the last."""
    told = {info["updated_at"]: info for info in recording.infos}
    assert len(recording.listed) >= 3
    for info in recording.listed:
        # The file of the real one spells out what protojson leaves out.
        starting = {"status": "EGRESS_STARTING"}
        assert starting | info == starting | told[info["updated_at"]]
    assert recording.listed[-1] == recording.infos[-1]


def test_webhooks_are_signed(recording: Recording) -> None:
    """Authorization is a bare JWT with the body's hash; the type is LiveKit's own."""
    for webhook in recording.webhooks:
        headers = {key.lower(): value for key, value in webhook["headers"].items()}
        assert headers["content-type"] == "application/webhook+json"
        claims = jwt.decode(headers["authorization"], options={"verify_signature": False})
        digest = hashlib.sha256(webhook["raw"].encode()).digest()
        # The paths in the real one's egress events were shortened after they were received.
        if recording.whole or "egressInfo" not in webhook["body"]:
            assert claims["sha256"] == base64.b64encode(digest).decode()
        assert claims["exp"] - claims["nbf"] == 300
        assert json.loads(webhook["raw"]) == webhook["body"]


def streams(path: Path) -> tuple[list[Any], list[Any], dict[str, Any]]:
    """Video packets, audio packets, and what the streams are."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        packets = [p for p in container.demux() if p.size]
        facts = {
            "video": (video.name, video.profile),
            "audio": audio and (audio.name, audio.profile, audio.rate, audio.channels),
            "ids": [stream.id for stream in container.streams],
        }
    of = [[p for p in packets if p.stream_index == n] for n in (0, 1)]
    return of[0], of[1], facts


def test_segments_are_h264_main_and_aac(recording: Recording) -> None:
    """Codecs, profiles, reordering and PIDs of every segment."""
    for path in recording.segments:
        _, _, facts = streams(path)
        assert facts["video"] == ("h264", "Main"), path
        assert facts["audio"] == ("aac", "LC", 44_100, 2), path
        assert facts["ids"] == [0x41, 0x42]


def test_segments_begin_with_their_only_key_frame(recording: Recording) -> None:
    """One IDR, at the first frame, in every segment but the last, with B-frames after it."""
    for path in recording.segments:
        video, _, _ = streams(path)
        assert video[0].is_keyframe
        assert video[0].pts == min(p.pts for p in video)
        assert video[0].pts - video[0].dts == pytest.approx(2 * 6000, abs=2)
        assert any(p.pts < q.pts for q, p in itertools.pairwise(video))
        if path != recording.segments[-1]:
            assert sum(p.is_keyframe for p in video) == 1
            assert len(video) == SEGMENT_SECONDS * 15


def test_times_begin_at_an_hour(recording: Recording) -> None:
    """The first segment's picture and sound begin at 3600 s, the others' where they should."""
    listed = segments_of((recording.out / "full.m3u8").read_text())
    first = listed[0][0]
    for path in recording.segments:
        video, audio, _ = streams(path)
        [moment] = [moment for moment, _, name in listed if name == path.name]
        start = 3600 + (moment - first).total_seconds()
        assert video[0].pts / 90_000 == pytest.approx(start, abs=0.003)
        late = 0.0 if moment == first else 0.025
        assert -0.002 <= audio[0].pts / 90_000 - start <= late


def test_last_segment_counts_to_its_last_frame(recording: Recording) -> None:
    """The last EXTINF is the way from its first frame to its last one, not past it."""
    _, duration, name = segments_of((recording.out / "full.m3u8").read_text())[-1]
    video, _, _ = streams(recording.out / name)
    length = max(p.pts for p in video) - video[0].pts
    assert duration == pytest.approx(length / 90_000, abs=0.001)


def grey(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [(f.time, f.to_ndarray(format="gray")) for f in container.decode(video=0)]


def test_the_end_is_black(recording: Recording) -> None:
    """An unpublished track ends with the few black frames that WebRTC sends then."""
    means = [picture.mean() for _, picture in grey(recording.segments[-1])]
    assert max(means[-2:]) < 2
    assert min(means[:-6]) > 20


def test_standin_is_continuous(standin: Recording) -> None:
    """No frame and no sound is lost or doubled at a boundary."""
    video: list[int] = []
    audio: list[int] = []
    for path in standin.segments:
        pictures, sounds, _ = streams(path)
        video += sorted(p.pts for p in pictures)
        audio += [p.pts for p in sounds]
    assert {b - a for a, b in itertools.pairwise(video)} == {6000}
    for a, b in itertools.pairwise(audio):
        assert b - a == pytest.approx(1024 * 90_000 / 44_100, abs=2)


def clock_errors(segments: list[Path], started_at: float) -> list[float]:
    """Burnt-in time minus the time by started_at, in seconds, of each frame that has a clock."""
    errors = []
    for path in segments:
        for pts, picture in grey(path):
            wall = started_at + pts - 3600
            try:
                errors.append(picture_clock.nearest(picture_clock.read_clock(picture), wall) - wall)
            except ValueError:
                continue
    return errors


def test_standin_clock_is_right(standin: Recording) -> None:
    """A frame's capture time is started_at + its PTS - 3600 s, within 60 ms.

    One frame in twenty may be off, when a loaded machine stalled it; more, as it is slow.
    """
    started_at = int(standin.infos[-1]["segment_results"][0]["started_at"]) / 1e9
    errors = clock_errors(standin.segments, started_at)
    assert len(errors) > 80
    worst = sorted(map(abs, errors))[len(errors) * 95 // 100]
    assert worst < 0.06 * standin.slowdown, (min(errors), statistics.median(errors), max(errors))


def test_standin_beeps_at_full_seconds(standin: Recording) -> None:
    """The sound is in time with the picture: beeps begin at full seconds, up to 120 ms late.

    Later by what WebRTC holds back on a machine that is slow; half a second late is half one early.
    """
    started_at = int(standin.infos[-1]["segment_results"][0]["started_at"]) / 1e9
    begins = []
    for path in standin.segments[:-1]:
        with av.open(str(path)) as container:
            loud = False
            for frame in container.decode(audio=0):
                peak = float(np.abs(frame.to_ndarray()).max())
                if peak > 0.2 and not loud:
                    begins.append(started_at + (frame.time or 0) - 3600)
                loud = peak > 0.2
    lates = [(begin + 0.5) % 1 - 0.5 for begin in begins]
    assert len(lates) >= 4
    most = 0.12 + (standin.slowdown - 1) / 2
    assert most > 0.44 or -0.06 < statistics.median(lates) < most, lates


def test_standin_segments_come_as_late_as_the_real_ones(standin: Recording) -> None:
    """A segment is complete on disk d + 1.3 s after its last frame."""
    started_at = int(standin.infos[-1]["segment_results"][0]["started_at"]) / 1e9
    for n, path in enumerate(standin.segments[:2]):
        late = path.stat().st_mtime - (started_at + SEGMENT_SECONDS * (n + 1))
        assert -0.4 < late - (SEGMENT_SECONDS + 1.3) < 0.4 * standin.slowdown


@pytest.mark.parametrize("share", ["stopped_by_api", "stop_while_starting"])
async def test_stop_is_told_as_by_the_real_one(field: Field, share: str) -> None:
    """StopEgress gives the statuses, details and errors that the real one's webhooks have."""
    egress_id = await _stopped(field, share)
    await wait_for(lambda: field.webhooks.of(egress_id)[-1]["event"] == "egress_ended")
    keys = ("status", "details", "error", "errorCode")
    told, wanted = (
        [(e["event"], *(e["egressInfo"].get(key) for key in keys)) for e in events]
        for events in (field.webhooks.of(egress_id), real(share).egress_events)
    )
    assert told == wanted
    last = real(share).egress_events[-1]["egressInfo"]
    ours = field.webhooks.of(egress_id)[-1]["egressInfo"]
    assert set(ours) == set(last)
    assert set(ours["segmentResults"][0]) == set(last["segmentResults"][0])


async def _stopped(field: Field, room: str) -> str:
    share = await field.share(room)
    egress_id = await field.start(room, share.video_sid, share.audio_sid)
    if room == "stopped_by_api":
        await field.listed(room, 1)
    await field.stop(egress_id)
    return egress_id


@pytest_asyncio.fixture(scope="session")
async def silent_out(field_of_session: Field) -> Path:
    """What the stand-in wrote for a share without audio."""
    share = await field_of_session.share("silent", audio=False)
    egress_id = await field_of_session.start("silent", share.video_sid)
    await field_of_session.listed("silent", 2)
    await field_of_session.stop(egress_id)
    await field_of_session.status(egress_id, "EGRESS_COMPLETE")
    await share.done("leave")
    return field_of_session.out / "silent"


@pytest.mark.parametrize("which", ["real", "standin"])
def test_no_audio_stream_without_audio(which: str, request: pytest.FixtureRequest) -> None:
    """A request without audio track gives segments without sound."""
    out = real("stopped_by_api").out.parents[1] / "share_without_audio/out"
    if which == "standin":
        out = request.getfixturevalue("silent_out")
    for path in out.glob("*.ts"):
        video, audio, facts = streams(path)
        assert facts["video"] == ("h264", "Main")
        assert facts["audio"] is None
        assert video
        assert not audio
