"""From a real share to a real clip, with nothing done but sharing and asking."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import av
import httpx
import numpy as np
import psutil

from deploy.local import picture_clock
from tests.e2e.conftest import World
from tests.waiting import wait_for


def shown(clip: bytes) -> list[tuple[float, float]]:
    """When a clip's frames are shown, in its own seconds, and their burnt-in clocks, in that order.

    The clock of a black frame is nan.
    """
    found = []
    with av.open(io.BytesIO(clip), "r") as container:
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="gray")
            try:
                clock = picture_clock.read_clock(np.ascontiguousarray(picture))
            except ValueError:
                clock = float("nan")
            assert frame.time is not None
            found.append((frame.time, clock))
    return found


def shown_clocks(clip: bytes) -> list[float]:
    """The burnt-in clocks of a clip's frames, in the order of showing; nan for black frames."""
    return [clock for _, clock in shown(clip)]


def fragments_clocks(world: World, session: str) -> list[float]:
    """The burnt-in clocks of all that is kept of a session's recording, in the order of showing."""
    (folder,) = (world.service.media_root / "fragments").rglob(session)
    media = (*folder.glob("init-*.mp4"), *sorted(folder.glob("*.m4s")))
    return shown_clocks(b"".join(path.read_bytes() for path in media))


async def capture(client: httpx.AsyncClient, **request: object) -> dict[str, Any]:
    """Makes a capture and waits for its end; gives the finished capture."""
    accepted = await client.post("/captures", json=request)
    assert accepted.status_code == 202, accepted.text

    async def finished() -> dict[str, Any] | None:
        answer = await client.get(accepted.headers["Location"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found if found["status"] in ("ready", "failed", "cancelled") else None

    return await wait_for(finished, what="the capture is finished")


async def test_a_share_is_buffered_by_itself_and_its_last_seconds_become_a_clip(
    world: World, room: str
) -> None:
    """Share, wait, ask for the last 6 seconds: an MP4 of exactly these, with picture and sound."""
    async with world.share(room):
        buffer = await world.wait_for_buffer(room, seconds=8)
        assert buffer["audio"] is True
        assert buffer["why"] is None
        async with world.service.client("alice", room) as alice:
            done = await capture(alice, room=room, last=6, title="What a shot")
            assert done["status"] == "ready", done
            clip = (await alice.get(f"/clips/{done['clip_id']}")).json()
            data = (await alice.get(f"/file/{clip['file_id']}")).content
        recorded = fragments_clocks(world, buffer["sessions"][0])
    assert len(data) == clip["size"]
    assert clip["title"] == "What a shot"
    asked = datetime.fromisoformat(clip["requested"]["start"]).timestamp()
    delivered = datetime.fromisoformat(clip["delivered"]["start"]).timestamp()
    assert abs(asked - delivered) < 0.1
    with av.open(io.BytesIO(data), "r") as container:
        assert {s.type for s in container.streams} == {"video", "audio"}
        assert container.duration is not None
        assert abs(container.duration / 1e6 - 6) < 0.3
    clocks = shown_clocks(data)
    # A busy machine's pictures come late, so the clip is held against what was recorded.
    assert clocks == [each for each in recorded if clocks[0] <= each <= clocks[-1]]
    moments = [(delivered + seconds, clock) for seconds, clock in shown(data)]
    late = [moment - picture_clock.nearest(clock, moment) for moment, clock in moments]
    assert -0.1 < min(late) < 0.2, "it shows the asked moments, but for pictures that came late"


def command_lines() -> list[str]:
    """Of every process that this test run has started, as anybody may read them."""
    ours = {process.pid for process in psutil.Process().children(recursive=True)}
    return [
        " ".join(process.info["cmdline"] or [])
        for process in psutil.process_iter(["cmdline"])
        if process.pid in ours
    ]


async def test_other_users_of_the_machine_see_nothing_of_it(world: World, room: str) -> None:
    """Neither fragments, pictures, clips nor keys; and no token stands in a command line."""
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        async with world.service.client("alice", room) as alice:
            assert (await capture(alice, room=room, last=2))["status"] == "ready"
            found = (await alice.get("/buffers", params={"room": room})).json()["items"][0]
            assert (await alice.get(f"/buffers/{found['id']}/poster.jpg")).status_code == 200
        assert not [line for line in command_lines() if "eyJ" in line]
    ours = [*world.service.media_root.rglob("*"), *(world.service.folder / "data").rglob("*")]
    assert {path.suffix for path in ours} >= {".m4s", ".mp4"}
    by_egress = {".ts", ".m3u8"}
    open_to_all = [
        str(path) for path in ours if path.suffix not in by_egress and path.lstat().st_mode & 0o007
    ]
    assert open_to_all == []


async def test_a_buffer_can_be_captured_after_its_share_has_ended(world: World, room: str) -> None:
    """What was shared can still be kept when the share is over."""
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
    ended = await world.wait_for_buffer(room, state="ended")
    async with world.service.client("alice", room) as alice:
        done = await capture(alice, buffer=ended["id"], last=3)
    assert done["status"] == "ready", done
    assert await world.egresses(room) == []
