"""Exact cuts: re-encoded by the real ffmpeg, nothing of what was cut off left in the file."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest

from app.access.tokens import Caller
from app.captures import endings
from app.captures.slots import Slots
from app.context import Context
from app.models import CaptureRow
from tests.integration.buffer.shares import DiskShare
from tests.integration.captures.checking import (
    Done,
    accepted,
    captured,
    done,
    files,
    nothing_is_left,
    reaches,
    work_on,
)
from tests.integration.captures.conftest import ADA, BOB, MakeShare
from tests.media_factory import MediaFactory, Recording, Shape
from tests.packet_checker import read_clip
from tests.waiting import PATIENCE_SECONDS, wait_for


def pictures(path: Path) -> list[tuple[float, bytes]]:
    """Time and luma, made small, of every picture that is in the file, hidden or not."""
    with av.open(str(path), options={"ignore_editlist": "1"}) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [
            (float(frame.pts * stream.time_base), bytes(frame.reformat(32, 24, "gray").planes[0]))
            for frame in container.decode(stream)
            if frame.pts is not None
        ]


def alike(one: bytes, other: bytes) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one) < 6


async def exact(ctx: Context, start: object, end: object, **asked: object) -> Done:
    window = {"start": str(start), "end": str(end), "cut": "exact"}
    made = await captured(ctx, ADA, **window, **asked)
    assert made.capture["status"] == "ready", made.capture["detail"]
    return made


@pytest.mark.edge("an edit list hides and keeps")
async def test_only_the_window_is_in_the_file(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory
) -> None:
    [share] = await ended_share()
    start = share.start + timedelta(seconds=3.4)
    made = await exact(ctx, start.isoformat(), (start + timedelta(seconds=4)).isoformat())
    assert made.path is not None
    assert made.clip is not None
    assert made.clip["hidden_head_seconds"] == 0
    assert made.clip["duration_seconds"] == pytest.approx(4, abs=0.002 + 1 / 15)
    shown = pictures(made.path)
    assert len(shown) in (60, 61)
    source = Path(ctx.settings.data_dir, "source.ts")
    source.write_bytes(b"".join(one.path.read_bytes() for one in share.media.segments))
    true = pictures(source)
    assert made.clip["delivered_start"] is not None
    first = round((made.clip["delivered_start"] - share.start).total_seconds() * 15)
    for (_, found), (_, wanted) in zip(shown, true[first:], strict=False):
        assert alike(found, wanted)
    assert not alike(shown[0][1], true[first - 15][1])  # a second earlier looks otherwise
    packets = read_clip(made.path)
    assert not any(packet.hidden for packet in packets.video)
    assert packets.video[0].seconds == pytest.approx(0, abs=0.001)


@pytest.fixture
def ffmpeg_that_never_joins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ffmpeg that goes on for ever when it joins inputs. The file is there once one does."""
    real, joins = shutil.which("ffmpeg"), tmp_path / "joins"
    stand_in = tmp_path / "bin" / "ffmpeg"
    stand_in.parent.mkdir()
    stand_in.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *concat*) touch {joins};; *) exec {real} "$@";; esac\n'
        "while :; do i=$((i+1)); echo out_time_us=$i; sleep 0.1; done\n"
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    return joins


async def test_a_short_encoding_waits_for_no_long_one(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, recording: Recording,
    ffmpeg_that_never_joins: Path,
) -> None:  # fmt: skip
    """Neither the ends of somebody else's exact cut, nor those of one of the same share."""
    other = factory.record(Shape(frames=90, size=(192, 108)))
    long_share, _ = await ended_share("bob", (recording, 0.0), (other, 22.0))
    [share] = await ended_share("ada")
    pixels = 7 * 15 * 160 * 120
    slots = replace(Slots.of(ctx.settings), short_pixels=pixels, middle_pixels=pixels)

    async def ask(who: Caller, of: DiskShare, name: str, start: float, end: float) -> CaptureRow:
        window = {each: str(of.start + timedelta(seconds=at))
                  for each, at in (("start", start), ("end", end))}  # fmt: skip
        return await accepted(ctx, who, identity=name, cut="exact", **window)

    long = [await ask(BOB, long_share, "bob", 0.3, 26.0) for _ in range(2)]
    short = [await ask(ADA, share, "ada", 3.4, 9.4), await ask(BOB, long_share, "bob", 3.4, 9.4)]
    tasks = [asyncio.create_task(work_on(ctx, row["_id"], slots)) for row in long]
    try:
        await wait_for(ffmpeg_that_never_joins.exists)
        async with asyncio.timeout(PATIENCE_SECONDS):
            for row in short:
                await work_on(ctx, row["_id"], slots)
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [(await done(ctx, row["_id"])).capture["status"] for row in short] == ["ready"] * 2


async def test_it_is_an_ordinary_mp4(ctx: Context, ended_share: MakeShare) -> None:
    """Without the clip's title, which its owner may change before others get the file."""
    [share] = await ended_share()
    start = share.start + timedelta(seconds=1)
    end = start + timedelta(seconds=2)
    made = await exact(ctx, start.isoformat(), end.isoformat(), title="Secret")
    assert made.path is not None
    probed = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        ["ffprobe", "-v", "error", "-show_entries",
         "stream=codec_name,profile,pix_fmt", "-of", "flat", str(made.path)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert 'codec_name="h264"' in probed
    assert 'profile="Main"' in probed
    assert 'codec_name="aac"' in probed
    with av.open(str(made.path)) as container:
        assert "title" not in container.metadata
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert made.file is not None
    assert made.file["size_bytes"] == len(data)


async def test_sessions_of_other_sizes_are_scaled_into_the_largest(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory, recording: Recording
) -> None:
    other = factory.record(Shape(frames=90, size=(192, 108), sample_rate=48_000, channels=1))
    first, _ = await ended_share("ada", (recording, 0.0), (other, 22.0))
    start = first.start + timedelta(seconds=18)
    made = await exact(ctx, start.isoformat(), (start + timedelta(seconds=7)).isoformat())
    assert made.clip is not None
    assert made.path is not None
    assert (made.clip["width"], made.clip["height"]) == (192, 108)
    assert made.clip["duration_seconds"] == pytest.approx(5, abs=0.2)
    assert [(gap["why"], gap["kept"]) for gap in made.clip["gaps"]] == [("not-recorded", False)]
    shown = pictures(made.path)
    assert len(shown) == pytest.approx(75, abs=3)
    assert shown[-1][0] == pytest.approx(5, abs=0.3)


async def test_progress_is_told_and_a_cancellation_ends_the_encoder(
    ctx: Context, ended_share: MakeShare, factory: MediaFactory
) -> None:
    """Of one that is encoded whole: the second session is of another size."""
    large = factory.record(Shape(frames=300, fps=30, size=(1280, 720)))
    small = factory.record(Shape(frames=30, size=(192, 108)))
    await ended_share("ada", (large, 0.0), (small, 11.0))
    row = await accepted(ctx, ADA, last=12, cut="exact")
    job = asyncio.create_task(work_on(ctx, row["_id"]))
    await reaches(ctx, row["_id"], "running")
    told = []
    while (capture := (await done(ctx, row["_id"])).capture)["progress"] < 0.2:
        told.append(capture["progress"])
        assert capture["status"] == "running", capture["detail"]
        await asyncio.sleep(0.02)
    assert told == sorted(told)
    assert capture["stage"] == "encoding"
    assert encoders()
    await endings.cancel(ctx, ADA, row["_id"])
    await asyncio.wait_for(job, PATIENCE_SECONDS)
    assert not encoders()
    assert files(ctx) == []


LAST_FILE = "for each; do case $each in file:*) last=$each;; esac; done"
"""In a shell, of a command line of ffmpeg's: what it writes."""


async def test_ffmpegs_failure_fails_the_capture_and_leaves_nothing(
    ctx: Context, ended_share: MakeShare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ended_share()
    for script, reason in (
        ("exit 1", "ffmpeg-failed"),
        ("kill -9 $$", "ffmpeg-failed"),
        ("echo 'out.mp4: No space left on device' >&2; exit 228", "storage-full"),
        (f"{LAST_FILE}; echo rubbish > ${{last#file:}}", "verification-failed"),
    ):
        program = tmp_path / "ffmpeg"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with monkeypatch.context() as environment:
            environment.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
            made = await captured(ctx, ADA, last=5, cut="exact")
        assert (made.capture["status"], made.capture["reason"]) == ("failed", reason), script
        assert str(ctx.settings.media_root) not in made.capture["detail"]
        await nothing_is_left(ctx)
    with monkeypatch.context() as environment:
        environment.setenv("PATH", "/nowhere")
        made = await captured(ctx, ADA, last=5, cut="exact")
    assert made.capture["reason"] == "ffmpeg-missing"
    await nothing_is_left(ctx)


def encoders() -> list[str]:
    """Command lines of ffmpeg processes that this process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
            command = (stat.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and "ffmpeg" in command:
            found.append(command)
    return found
