"""app.captures.verification: what is wrong with a file is noticed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.captures.failures import NotAsPlanned
from app.captures.verification import Expected
from app.context import Context
from tests.integration.captures.checking import VERIFIER, Done, captured
from tests.integration.captures.conftest import ADA, MakeShare
from tests.packet_checker import without_edits

verify = partial(VERIFIER.verify, caller="ada", source="a share")


def expected(made: Done) -> Expected:
    assert made.path is not None
    assert made.clip is not None
    packets = without_edits(made.path)
    return Expected(
        size_bytes=made.path.stat().st_size,
        width=160,
        height=120,
        duration_seconds=made.clip["duration_seconds"],
        tolerance_seconds=0.05,
        frames=len(packets.video),
        audio_frames=len(packets.audio),
    )


async def test_a_right_file_passes_and_every_wrong_expectation_is_named(
    ctx: Context, ended_share: MakeShare
) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    assert made.path is not None
    right = expected(made)
    await verify(made.path, right)
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"size_bytes": 5}, "bytes instead of 5"),
        ({"width": 170}, "160 pixels wide instead of 170"),
        ({"height": 130}, "120 pixels high instead of 130"),
        ({"frames": 3}, "pictures instead of 3"),
        ({"audio_frames": 3}, "frames of sound instead of 3"),
        ({"duration_seconds": 9.0}, "s instead of 9.000 s"),
    ]
    for wrong, told in wrongs:
        with pytest.raises(NotAsPlanned, match=told):
            await verify(made.path, replace(right, **wrong))


async def test_damage_is_noticed(ctx: Context, ended_share: MakeShare, tmp_path: Path) -> None:
    await ended_share()
    made = await captured(ctx, ADA, last=5)
    assert made.path is not None
    right = expected(made)
    data = made.path.read_bytes()
    moov, mdat = data.index(b"moov") - 4, data.index(b"mdat") - 4
    damaged = {
        "empty": b"",
        "cut short": data[:-1],
        "longer": data + b"\0",
        "index last": data[:moov] + data[mdat:] + data[moov:mdat],
        "no index": data[:moov] + data[mdat:],
        "index zeroed": data[: moov + 8] + bytes(mdat - moov - 8) + data[mdat:],
        "media zeroed": data[: mdat + 8] + bytes(len(data) - mdat - 8),
        "box of no length": b"\0\0\0\0" + data[4:],
        "noise": bytes(range(256)) * (len(data) // 256),
    }
    unnoticed = []
    for name, content in damaged.items():
        path = tmp_path / "clip.mp4"
        path.write_bytes(content)
        try:
            await verify(path, replace(right, size_bytes=len(content)))
        except NotAsPlanned:
            continue
        unnoticed.append(name)
    assert unnoticed == []
