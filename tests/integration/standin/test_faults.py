"""Each fault that a test may order does what it says, and is read anew at each decision."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import api

from app.recording.livekit import AlreadyOver, LiveKit, WorkerGone
from app.settings import load
from tests.integration.standin.conftest import Field, Share
from tests.pace import Pace
from tests.waiting import PATIENCE_SECONDS, wait_for

ROOM = "faults"


@pytest_asyncio.fixture(scope="module")
async def share(field_of_session: Field) -> AsyncIterator[Share]:
    """One share for all tests of this module."""
    async with Share(field_of_session.stack, ROOM, "alice") as share:
        await share.told("audio_published")
        yield share


class Job:
    """One egress of the share, with a folder of its own."""

    def __init__(self, field: Field, egress_id: str, out: Path) -> None:
        self.field = field
        self.egress_id = egress_id
        self.out = out

    @classmethod
    async def start(cls, field: Field, share: Share, name: str) -> Job:
        out = field.out / name
        output = api.SegmentedFileOutput(
            filename_prefix=str(out / "seg"),
            playlist_name="full.m3u8",
            live_playlist_name="live.m3u8",
            segment_duration=1,
            filename_suffix=api.SegmentedFileSuffix.TIMESTAMP,
            disable_manifest=True,
        )
        egress_id = await field.start(
            ROOM, share.video_sid, share.audio_sid, segment_outputs=[output]
        )
        return cls(field, egress_id, out)

    def listed(self) -> list[str]:
        """Names in the full playlist now."""
        path = self.out / "full.m3u8"
        rows = path.read_text().splitlines() if path.exists() else []
        return [row for row in rows if row.endswith(".ts")]

    async def until_listed(self, count: int) -> list[str]:
        def enough() -> list[str] | None:
            found = self.listed()  # of a playlist that may be half written the next time
            return found if len(found) >= count else None

        return await wait_for(enough, what=f"{count} segments listed")

    async def ended(self) -> api.EgressInfo:
        """The final info."""

        async def over() -> api.EgressInfo | None:
            info = await self.field.info(self.egress_id)
            return info if info.ended_at else None

        return await wait_for(over, what="egress ended")

    async def stop(self) -> api.EgressInfo:
        await self.field.stop(self.egress_id)
        return await self.ended()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists()


async def test_busy_until_it_is_not(field: Field, share: Share) -> None:
    """A busy worker is silent; when it is free again the server's next attempt finds it."""
    field.stack.set_faults({"busy": True})
    starting = asyncio.create_task(Job.start(field, share, "busy"))
    done, _ = await asyncio.wait({starting}, timeout=2.0)
    assert not done
    field.stack.set_faults({})
    job = await asyncio.wait_for(starting, PATIENCE_SECONDS)
    await job.stop()


async def test_affinity_one_is_chosen_at_once(field: Field, share: Share) -> None:
    """An idle worker with affinity 1 does not cost the caller half a second."""
    field.stack.set_faults({"affinity": 1.0})
    took = []
    for number in range(3):
        with Pace() as pace:
            job = await Job.start(field, share, f"affinity {number}")
        took.append(pace.fair_seconds)
        await job.stop()
    assert min(took) < 0.5  # the fastest: the machine does other things too


async def test_refuse(field: Field, share: Share) -> None:
    """A refusal reaches the API's caller with its code and text."""
    field.stack.set_faults({"refuse": ["failed_precondition", "no such luck"]})
    with pytest.raises(api.TwirpError, match="no such luck") as refused:
        await Job.start(field, share, "refuse")
    assert refused.value.code == "failed_precondition"


async def test_delay_start(field: Field, share: Share) -> None:
    """The answer comes as much later, after egress_started."""
    field.stack.set_faults({"delay_start": 1.5})
    with Pace() as pace:
        job = await Job.start(field, share, "delay")
    assert pace.seconds > 1.5
    assert pace.fair_seconds < 4
    assert field.webhooks.of(job.egress_id)[0]["event"] == "egress_started"
    await job.stop()


async def test_die_on_start(field: Field, share: Share) -> None:
    """The worker is gone and the caller waits; a new worker gets the server's next attempt."""
    pid = field.stack.pid("egress")
    field.stack.set_faults({"die_on_start": True})
    starting = asyncio.create_task(Job.start(field, share, "die-on-start"))
    await wait_for(lambda: not field.stack.running("egress"))
    assert not is_running(pid)
    field.stack.set_faults({})
    await field.stack.start("egress")
    job = await asyncio.wait_for(starting, PATIENCE_SECONDS)
    await job.stop()


async def test_die_after_segments(field: Field, share: Share) -> None:
    """The worker dies with its egress listed as ACTIVE and playlists without end."""
    field.stack.set_faults({"die_after_segments": 1})
    job = await Job.start(field, share, "die")
    await wait_for(lambda: not field.stack.running("egress"))
    assert (await field.info(job.egress_id)).status == api.EgressStatus.EGRESS_ACTIVE
    assert len(job.listed()) == 1
    assert "ENDLIST" not in (job.out / "full.m3u8").read_text()


async def test_a_sign_of_life(field: Field, share: Share) -> None:
    """An egress that runs gives one when it is asked; one that has ended, or died, none."""
    stack = field.stack
    settings = load(
        _env_file=None,
        livekit_url=stack.url,
        livekit_api_key=stack.api_key,
        livekit_api_secret=stack.api_secret,
    )
    livekit = LiveKit(settings)
    try:
        job = await Job.start(field, share, "lives")
        await field.status(job.egress_id, "EGRESS_ACTIVE")
        await livekit.probe(job.egress_id)
        await job.stop()
        with pytest.raises(AlreadyOver):
            await livekit.probe(job.egress_id)
        field.stack.set_faults({"die_after_segments": 1})
        job = await Job.start(field, share, "dies")
        await wait_for(lambda: not field.stack.running("egress"))
        with pytest.raises(WorkerGone):
            await livekit.probe(job.egress_id)
    finally:
        await livekit.close()


async def test_silent(field: Field, share: Share) -> None:
    """StopEgress is 408 after 3 s and the egress goes on."""
    job = await Job.start(field, share, "silent-stop")
    field.stack.set_faults({"silent": True})
    with pytest.raises(api.TwirpError) as refused:
        await field.stop(job.egress_id)
    assert refused.value.code == "deadline_exceeded"
    assert (await field.info(job.egress_id)).status <= api.EgressStatus.EGRESS_ACTIVE
    field.stack.set_faults({})
    await job.stop()


async def test_skip_final_update(field: Field, share: Share) -> None:
    """The recorder leaves the room and no one hears of the end."""
    job = await Job.start(field, share, "skip")
    field.stack.set_faults({"skip_final_update": True})
    await field.status(job.egress_id, "EGRESS_ACTIVE")
    await field.stop(job.egress_id)

    def left() -> bool:
        bodies = [webhook["body"] for webhook in field.webhooks.received]
        gone = [b["participant"]["identity"] for b in bodies if b["event"] == "participant_left"]
        return job.egress_id in gone

    await wait_for(left)
    # The final update would come within milliseconds after the recorder has left.
    with pytest.raises(AssertionError):
        await wait_for(lambda: field.webhooks.of(job.egress_id)[-1]["event"] == "egress_ended", 1.0)
    assert (await field.info(job.egress_id)).status == api.EgressStatus.EGRESS_ENDING


async def test_files_that_lie(field: Field, share: Share) -> None:
    """clock_bias, drop_segment and truncate_segment in one egress."""
    field.stack.set_faults({"clock_bias": 0.25, "drop_segment": 1, "truncate_segment": 2})
    job = await Job.start(field, share, "lies")
    names = await job.until_listed(3)
    info = await job.stop()
    started = info.segment_results[0].started_at / 1e9
    dates = [row for row in (job.out / "full.m3u8").read_text().splitlines() if "DATE-TIME" in row]
    first = datetime.datetime.fromisoformat(dates[0].partition(":")[2]).timestamp()
    assert first - started == pytest.approx(0.25, abs=0.002)
    assert not (job.out / names[0]).exists()
    sizes = {path.name: path.stat().st_size for path in job.out.glob("*.ts")}
    assert set(names[1:]) <= set(sizes)
    assert sizes[names[1]] < 0.7 * sizes[names[2]]


async def test_torn_playlist(field: Field, share: Share) -> None:
    """A reader sees playlists empty and cut off in the middle of a line."""
    field.stack.set_faults({"torn_playlist": 0.1})
    job = await Job.start(field, share, "torn")
    path = job.out / "full.m3u8"
    seen: set[str] = set()

    def torn() -> bool:
        if path.exists():
            seen.add(path.read_text())
        return "" in seen and any(text and not text.endswith("\n") for text in seen)

    await wait_for(torn, every=0.02)
    await job.stop()
    assert path.read_text().endswith("#EXT-X-ENDLIST\n")


async def test_disk_full(field: Field, share: Share) -> None:
    """FAILED 400; the truncated segment stays and is listed with its full length."""
    field.stack.set_faults({"disk_full": 2})
    job = await Job.start(field, share, "full")
    info = await job.ended()
    assert info.status == api.EgressStatus.EGRESS_FAILED
    assert info.error_code == 400
    assert info.error.startswith("Local upload failed")
    assert info.error.endswith("no space left on device")
    names = job.listed()
    assert len(names) == 2
    size = {name: (job.out / name).stat().st_size for name in names}
    assert size[names[1]] < 0.7 * size[names[0]]
    assert (job.out / "full.m3u8").read_text().count("#EXTINF:1.000,") == 2


async def test_fail_after_segments(field: Field, share: Share) -> None:
    """A killed handler: FAILED 500 without results, no ENDLIST; the share goes on."""
    field.stack.set_faults({"fail_after_segments": 2})
    job = await Job.start(field, share, "fail")
    info = await job.ended()
    assert info.status == api.EgressStatus.EGRESS_FAILED
    assert (info.error, info.error_code) == ("signal: killed", 500)
    assert not info.segment_results
    assert len(job.listed()) == 2
    assert "ENDLIST" not in (job.out / "full.m3u8").read_text()
    field.stack.set_faults({})
    again = await Job.start(field, share, "fail-again")
    await field.status(again.egress_id, "EGRESS_ACTIVE")
    await again.stop()


async def test_limit_after_segments(field: Field, share: Share) -> None:
    """LIMIT_REACHED 413, with all that was recorded."""
    field.stack.set_faults({"limit_after_segments": 2})
    job = await Job.start(field, share, "limit")
    info = await job.ended()
    assert info.status == api.EgressStatus.EGRESS_LIMIT_REACHED
    assert info.error_code == 413
    assert info.segment_results[0].segment_count == len(job.listed()) > 2
    assert (job.out / "full.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")


@pytest.mark.heavy
async def test_bears_pixels(field: Field, share: Share) -> None:
    """Segments of twice as many pixels take twice their length, until it is stopped."""
    field.stack.set_faults({"bears_pixels": 640 * 360 * 15 // 2})
    job = await Job.start(field, share, "slow")
    await job.until_listed(4)
    info = await field.info(job.egress_id)
    assert time.time() - info.segment_results[0].started_at / 1e9 > 8
    await job.stop()
    assert len(job.listed()) > 6


def test_unknown_fault_is_refused(field_of_session: Field) -> None:
    """A misspelt fault fails the test that orders it."""
    with pytest.raises(TypeError, match="disk_fool"):
        field_of_session.stack.set_faults({"disk_fool": 1})
