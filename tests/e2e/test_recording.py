"""What is recorded when shares, egresses and the service itself behave badly."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from app.recording.ghosts import GHOST_SECONDS
from tests.e2e.conftest import World
from tests.publisher import Publisher
from tests.waiting import wait_for


async def one_egress(world: World, room: str) -> str | None:
    """The id of the room's running egress, if there is exactly one."""
    running = await world.egresses(room)
    return running[0].egress_id if len(running) == 1 else None


async def no_egress(world: World, room: str) -> bool:
    return not await world.egresses(room)


@dataclass
class Ghost:
    """An egress whose worker was killed, and the share that it was to record."""

    room: str
    share: Publisher
    egress: str


@pytest_asyncio.fixture(scope="module")
async def ghost(world: World) -> AsyncIterator[Ghost]:
    """One that LiveKit lists as active for good."""
    room = f"haunted {secrets.token_hex(4)}"
    world.set_faults({"die_after_segments": 2})
    async with world.share(room) as share:
        egress = await wait_for(lambda: one_egress(world, room))
        await wait_for(lambda: not all(map(world.stack.running, world.stack.egress_names)))
        world.set_faults({})
        for worker in world.stack.egress_names:
            if not world.stack.running(worker):
                await world.stack.start(worker)
        yield Ghost(room, share, egress)


async def test_a_killed_worker_leaves_a_ghost(world: World, ghost: Ghost) -> None:
    """LiveKit says nothing of its end, and lists it."""
    assert ghost.egress in {each.egress_id for each in await world.egresses(ghost.room)}


async def test_records_exactly_the_tracks_of_the_share(world: World, room: str) -> None:
    """The egress is a Track Composite of the share's own video and audio track."""
    async with world.share(room) as alice:
        video = (await alice.told("video_published"))["sid"]
        audio = (await alice.told("audio_published"))["sid"]
        await wait_for(lambda: one_egress(world, room))
        (egress,) = await world.egresses(room)
        assert egress.track_composite.video_track_id == video
        assert egress.track_composite.audio_track_id == audio


async def test_stops_when_the_share_is_unpublished(world: World, room: str) -> None:
    """Unpublishing ends the egress, and the buffer says that the share has ended."""
    async with world.share(room) as alice:
        await world.wait_for_buffer(room, seconds=2)
        await alice.do("unpublish_video")
        await alice.do("unpublish_audio")
        await wait_for(lambda: no_egress(world, room))
        await world.wait_for_buffer(room, state="ended")


@pytest.mark.edge("video unpublished while audio lives")
async def test_stops_although_the_audio_of_the_share_lives_on(world: World, room: str) -> None:
    """LiveKit would keep an egress running for its audio alone; we stop it."""
    async with world.share(room) as alice:
        await world.wait_for_buffer(room, seconds=2)
        await alice.do("unpublish_video")
        await wait_for(lambda: no_egress(world, room))


@pytest.mark.edge("share audio that comes late")
async def test_goes_on_with_audio_that_comes_late(world: World, room: str) -> None:
    """Audio published later continues in a new session, and nothing of the picture is lost."""
    async with world.share(room, "alice", "--no-audio") as alice:
        silent = await world.wait_for_buffer(room, seconds=2)
        assert silent["audio"] is False
        await alice.do("publish_audio")

        async def with_audio() -> bool:
            found = await world.buffer(room)
            return bool(found and len(found["sessions"]) == 2 and found["spans"][-1]["audio"])

        await wait_for(with_audio)
        await wait_for(lambda: one_egress(world, room))
        buffer = await world.buffer(room)
    assert buffer is not None
    assert buffer["gaps"] == []
    spans = buffer["spans"]
    assert spans == sorted(spans, key=lambda span: span["start"])


@pytest.mark.edge("the track is gone before the start")
@pytest.mark.edge("toggled on, off, on")
async def test_a_share_toggled_within_a_second_leaves_exactly_one_egress(
    world: World, room: str
) -> None:
    """On, off, on: the last share is recorded, the first one is not any more."""
    async with world.share(room) as alice:
        await alice.told("video_published")
        await alice.do("unpublish_video")
        await alice.do("publish_video")
        video = (await alice.told("video_published", count=2))["sid"]

        async def only_the_last() -> bool:
            running = await world.egresses(room)
            return [e.track_composite.video_track_id for e in running] == [video]

        await wait_for(only_the_last)


async def test_whoever_comes_again_goes_on_in_their_buffer(world: World, room: str) -> None:
    """By another connection, as after a reconnect, and by another track of it."""
    async with world.share(room):
        before = await world.wait_for_buffer(room, seconds=2)
    async with world.share(room) as alice:
        await _goes_on(world, room, before["id"], tracks=2)
        await alice.do("unpublish_video")
        await alice.do("publish_video")
        await _goes_on(world, room, before["id"], tracks=3)


async def _goes_on(world: World, room: str, buffer_id: str, *, tracks: int) -> None:
    """Waits until a buffer, which is the room's only one, has media of so many tracks."""

    async def recorded() -> bool:
        (found,) = await world.buffers(room)
        assert found["id"] == buffer_id
        line = await world.buffer(room)
        gaps = [gap["why"] for gap in line["gaps"]] if line else []
        return found["state"] == "recording" and gaps == ["not-shared"] * (tracks - 1)

    await wait_for(recorded)


@pytest.mark.edge("only screen shares; several of one user")
async def test_two_shares_of_one_room_are_two_buffers(world: World, room: str) -> None:
    """Everybody who shares has a buffer of their own."""
    async with world.share(room, "alice"), world.share(room, "bob/../x"):
        await wait_for(lambda: _identities(world, room, {"alice", "bob/../x"}))


async def _identities(world: World, room: str, wanted: set[str]) -> bool:
    found = await world.buffers(room)
    return {b["identity"] for b in found if b["state"] == "recording"} == wanted


@pytest.mark.edge("every answer to a stop")
async def test_a_ghost_is_replaced_and_never_stopped(world: World, ghost: Ghost) -> None:
    """It writes nothing, and answers to nothing: long before its recorder leaves the room.

    Another egress is started then; the ghost holds no limit slot and is marked once.
    """

    async def replaced() -> bool:
        running = {e.egress_id for e in await world.egresses(ghost.room)}
        found = await world.buffer(ghost.room)
        return len(running - {ghost.egress}) == 1 and bool(found and found["state"] == "recording")

    await wait_for(replaced, 120)
    buffer = await world.buffer(ghost.room)
    assert buffer is not None
    (gap,) = buffer["gaps"]
    lost = datetime.fromisoformat(gap["end"]) - datetime.fromisoformat(gap["start"])
    assert lost < timedelta(seconds=GHOST_SECONDS / 2)
    assert len(buffer["sessions"]) == 2
    log = world.service.log_path.read_text()
    assert log.count(f"egress_is_a_ghost              egress={ghost.egress}") == 1
    await ghost.share.do("leave")


@pytest.mark.edge("the egress ends by itself")
async def test_restarts_at_once_when_the_egress_dies(world: World, room: str) -> None:
    """A killed egress is replaced while the share lives, and the timeline shows the gap."""
    world.set_faults({"fail_after_segments": 2})
    async with world.share(room):
        first = await wait_for(lambda: one_egress(world, room))
        await wait_for(lambda: _other_than(world, room, first))
        world.set_faults({})

        async def gap() -> bool:
            found = await world.buffer(room)
            return bool(found and found["gaps"] and found["state"] == "recording")

        await wait_for(gap)


async def _other_than(world: World, room: str, known: str) -> str | None:
    found = await one_egress(world, room)
    return found if found != known else None


@pytest.mark.edge("no egress worker")
async def test_says_that_no_worker_is_free_and_records_when_one_is(world: World, room: str) -> None:
    """While nobody takes the job the buffer says why; it records as soon as somebody does."""
    world.set_faults({"busy": True})
    async with world.share(room):

        async def told() -> bool:
            found = await world.buffer(room)
            return bool(found and found["why"] == "no-worker")

        await wait_for(told)
        world.set_faults({})
        await world.wait_for_buffer(room, seconds=1)
        assert await one_egress(world, room)


@pytest.mark.edge("the start times out and the egress runs")
async def test_adopts_an_egress_whose_start_was_answered_too_late(world: World, room: str) -> None:
    """A worker that answers after 12 s makes LiveKit report an error; never two egresses."""
    world.set_faults({"delay_start": 12})
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=2)
        assert await one_egress(world, room)
        buffer = await world.buffer(room)
        assert buffer is not None
        assert len(buffer["sessions"]) == 1


@pytest.mark.edge("down while a share started or stopped")
async def test_heals_when_the_service_was_down_while_a_share_began(world: World, room: str) -> None:
    """Events that nobody received are made up for at the start."""
    await world.service.stop()
    async with world.share(room):
        await world.start_service()
        await world.wait_for_buffer(room, seconds=1)
        await world.service.stop()
    await world.start_service()
    await wait_for(lambda: no_egress(world, room))
    await world.wait_for_buffer(room, state="ended")


@pytest.mark.edge("a long share is no orphan; nothing is killed on silence")
async def test_a_service_that_is_killed_goes_on_with_the_same_egress(
    world: World, room: str
) -> None:
    """SIGKILL to everything of ours, stores included: the share is recorded on, without a gap."""
    async with world.share(room):
        before = await world.wait_for_buffer(room, seconds=3)
        egress = await one_egress(world, room)
        await world.service.kill()
        await world.start_service()
        after = await world.wait_for_buffer(room, seconds=before["seconds"] + 4)
        assert await one_egress(world, room) == egress
        assert after["oldest"] == before["oldest"]
        assert after["gaps"] == []
        assert len(after["sessions"]) == 1


@pytest.mark.edge("names of any kind")
async def test_names_of_any_kind_never_lead_outside_and_never_collide(world: World) -> None:
    """Slashes, dots, templates, emoji, LiveKit's longest names: each has a folder of its own."""
    rooms = ["../../etc", "{room_name}/{time}", "Ünïcødé 🎬 " + "x" * 220]
    shares = [
        world.share(room, identity)
        for room, identity in zip(rooms, ("..", "a/b", "🙂"), strict=True)
    ]
    async with shares[0], shares[1], shares[2]:
        for room in rooms:
            await world.wait_for_buffer(room, seconds=1)
    for name in ("replay-buffer", "fragments"):
        root = world.service.media_root / name
        for path in root.rglob("*"):
            assert path.resolve().is_relative_to(root)
        assert not {path.name for path in root.iterdir()} & {"..", "etc"}


@pytest.mark.edge("restarts of Redis, MongoDB, LiveKit")
async def test_goes_on_when_both_stores_are_killed(world: World, room: str) -> None:
    """The stores come back by themselves; what was shared meanwhile is recorded all the same."""
    async with world.share(room):
        before = await world.wait_for_buffer(room, seconds=3)
        killed = world.service.kill_stores()
        assert killed == {"store", "queue"}
        async with world.share(f"{room} 2", "bob"):
            await world.wait_for_buffer(f"{room} 2", seconds=1)
        after = await world.wait_for_buffer(room, seconds=before["seconds"] + 4)
    assert after["oldest"] == before["oldest"]
    assert after["gaps"] == []
    assert len(after["sessions"]) == 1


@pytest.mark.edge("restarts of Redis, MongoDB, LiveKit")
async def test_records_again_when_livekit_was_restarted(world: World, room: str) -> None:
    """After a restart of livekit-server new shares are recorded, old ones have ended."""
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=1)
        await world.stack.stop("livekit")
        await world.stack.start("livekit")
    await world.wait_for_buffer(room, state="ended")
    async with world.share(f"{room} again"):
        await world.wait_for_buffer(f"{room} again", seconds=1)


@pytest.mark.edge("toggled on, off, on")
async def test_a_share_toggled_ten_times_leaves_nothing_behind(world: World, room: str) -> None:
    """On and off as fast as a client can: one egress for the last share, none for the others."""
    async with world.share(room, "alice", "--no-audio") as alice:
        for count in range(1, 11):
            await alice.do("unpublish_video")
            await alice.told("video_unpublished", count=count)
            await alice.do("publish_video")
            video = (await alice.told("video_published", count=count + 1))["sid"]

        async def only_the_last() -> bool:
            running = await world.egresses(room)
            return [e.track_composite.video_track_id for e in running] == [video]

        await wait_for(only_the_last, 60)
    await wait_for(lambda: no_egress(world, room))
