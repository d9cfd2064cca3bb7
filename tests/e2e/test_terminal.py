"""`python -m app capture`: a clip from the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import World

ROOT = Path(__file__).resolve().parents[2]


async def _capture(world: World, *arguments: str, **environment: str) -> tuple[int, str, str]:
    return await _run(world, "capture", *arguments, **environment)


async def _run(world: World, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command without a terminal."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", *arguments),
        cwd=ROOT,
        env=os.environ
        | {
            "PUBLIC_URL": world.service.url,
            "LIVEKIT_API_KEY": world.stack.api_key,
            "LIVEKIT_API_SECRET": world.stack.api_secret,
        }
        | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, error = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode(), error.decode()


async def test_the_last_seconds_of_a_share_become_a_file(
    world: World, room: str, tmp_path: Path
) -> None:
    """A line about the clip on stdout, the file at its place, no bar where nobody watches."""
    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        clip = tmp_path / "a clip.mp4"
        code, output, error = await _capture(world, room, "alice", "--last", "4s", "-o", str(clip))
    assert (code, error) == (0, "")
    assert output.startswith(f"{clip}: ")
    assert clip.read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.iterdir()) == [clip]


async def test_a_share_is_watched_and_marked_and_its_clip_listed_and_linked(
    world: World, room: str, tmp_path: Path
) -> None:
    """What each command prints as JSON is what the next one is given."""

    async def told(*arguments: str, **environment: str) -> list[dict[str, Any]]:
        code, output, error = await _run(world, *arguments, "--json", **environment)
        assert (code, error) == (0, "")
        return [json.loads(line) for line in output.splitlines()]

    async with world.share(room):
        await world.wait_for_buffer(room, seconds=4)
        (buffer,) = await told("watch", "--once", "--room", room)
        (marker,) = await told("mark", room, "alice", "--label", "that goal")
        clip = str(tmp_path / "clip.mp4")
        (made,) = await told("capture", room, "alice", "--last", "2s", "-o", clip)
    assert (buffer["sharer"], marker["buffer_id"]) == ("alice", buffer["id"])
    (listed,) = await told("clips", "--room", room)
    (linked,) = await told("share", listed["id"])
    assert made["id"] == listed["id"] == linked["id"]
    own = {"REPLAY_URL": world.service.url, "REPLAY_TOKEN": world.service.token("alice", room)}
    code, page, _ = await _run(world, "share", listed["id"], **own, LIVEKIT_API_KEY="")
    assert (code, page) == (0, f"{linked['page_url']}\n")


async def test_a_refusal_is_told_in_the_service_s_words(
    world: World, room: str, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    code, output, error = await _capture(world, room, "alice", "--last", "4s", "-o", str(clip))
    assert (code, output) == (1, "")
    assert error.startswith("409 Nothing recorded yet: ")
    assert not clip.exists()


async def test_a_service_that_does_not_answer_is_told(
    world: World, room: str, tmp_path: Path
) -> None:
    code, _, error = await _capture(
        world,
        *(room, "alice", "--last", "4s", "-o", str(tmp_path / "clip.mp4")),
        PUBLIC_URL="http://127.0.0.1:9",
    )
    assert code == 1
    assert error.startswith("no answer from http://127.0.0.1:9 ")
    assert "does the service run" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--last", "soon", "-o", "x"], "'soon' is no length of time"),
        (["--last", "5"], "required: -o"),
        (["--last", "5", "-o", "/no/such/folder/x"], "there is no folder '/no/such/folder'"),
    ],
)
async def test_wrong_arguments_are_told_before_anything_is_asked(
    world: World, room: str, arguments: list[str], said: str
) -> None:
    code, _, error = await _capture(world, room, "alice", *arguments)
    assert code in (1, 2)
    assert said in error
