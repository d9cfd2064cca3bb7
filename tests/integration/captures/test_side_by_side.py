"""Clips of one moment in one film: in step, charged, gone with any of its clips."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from app.access import quota
from app.access.tokens import Caller
from app.captures import rendition_execution, renditions
from app.captures.rendition_request import RenditionRequest
from app.clips import library, play_time
from app.context import Context
from app.errors import Conflict, Invalid
from app.models import ClipRow, RenditionRow
from app.models.schema import Rendition
from tests.integration.captures.checking import done, tools_of, work_on
from tests.integration.captures.conftest import ADMIN, MakeShare
from tests.integration.captures.test_moments import moment
from tests.integration.captures.test_renditions import settled, sound_library
from tests.integration.clips.rows import add_clip, charge, clip_row
from tests.media_factory import MediaFactory, Recording, Shape, number_in
from tests.rows import document

PAUSE = (10.0, 14.0)
"""Seconds of ada's share in which it was not recorded."""
BLANK = 0
"""The number in a picture that is black."""


@pytest.fixture(scope="session")
def numbered(factory: MediaFactory) -> Recording:
    """10 s of 15 pictures a second that carry their number."""
    return factory.record(Shape(numbered=True, size=(320, 180), frames=150))


async def clips_of_moment(ctx: Context) -> list[ClipRow]:
    """The clips of a moment of all shares, by whose they are."""
    found = await moment(ctx, title="That goal")
    made = []
    for row in found.captures:
        await work_on(ctx, row["_id"])
        made.append(await done(ctx, row["_id"]))
    return sorted((each.clip for each in made if each.clip), key=lambda clip: clip["shared_by"])


async def asked(ctx: Context, clip: ClipRow, **given: object) -> RenditionRow:
    request = RenditionRequest.model_validate({"format": "mp4-side-by-side"} | given)
    _, row = await renditions.accept(ctx, ADMIN, clip["_id"], request)
    return row


async def held(ctx: Context) -> tuple[int, int]:
    found = await quota.read(ctx.store, ctx.settings, "root")
    return found.used_bytes, found.reserved_bytes


def numbers(path: Path) -> list[tuple[float, int, int]]:
    """When each picture of a film is shown, and the numbers in its left and its right half."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(container.streams.video[0]):
            assert (frame.width, frame.height) == (640, 180)
            grey = frame.to_ndarray(format="gray").astype(np.uint8)
            found.append((frame.time or 0.0, number_in(grey[:, :320]), number_in(grey[:, 320:])))
        return found


def loud(path: Path) -> tuple[float, float]:
    """When the sound of a film is first, and last, heard."""
    heard: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            if np.abs(frame.to_ndarray()).max() > 0.05:
                heard.append(frame.time or 0.0)
    return heard[0], heard[-1]


@pytest.mark.heavy
async def test_clips_of_one_moment_are_shown_in_step_on_one_clock(
    ctx: Context, ended_share: MakeShare, numbered: Recording
) -> None:
    """Black where a clip has nothing; the clip that was asked of comes first, and is heard."""
    await ended_share("ada", (numbered, 0.0), (numbered, PAUSE[1]))
    await ended_share("bob", (numbered, 0.0), age=55)
    ada, bob = await clips_of_moment(ctx)
    late = (play_time.begin(bob) - play_time.begin(ada)).total_seconds()
    assert late >= 5.0
    used_bytes, _ = await held(ctx)
    row = await asked(ctx, bob)
    assert (row["clip_id"], row["beside"]) == (bob["_id"], [ada["_id"]])
    assert (await asked(ctx, bob))["_id"] == row["_id"]
    await rendition_execution.run(ctx, tools_of(ctx), row["_id"])
    (made,) = await settled(ctx)
    assert made["status"] == "ready", made["detail"]
    path = ctx.settings.media_root / made["storage_path"]
    whole = max(PAUSE[1], late) + 10.0
    assert made["end_seconds"] == pytest.approx(whole, abs=0.1)
    shown = numbers(path)
    assert len(shown) == pytest.approx(whole * 30, abs=3)
    for at, left, right in shown:
        of_bob = (at - late) * 15 if late <= at < late + 10 else BLANK
        of_ada = at * 15 if at < PAUSE[0] else (at - PAUSE[1]) * 15 if at >= PAUSE[1] else BLANK
        near = [abs(at - each) < 0.15 for each in (late, late + 10, *PAUSE)]
        assert any(near) or left == pytest.approx(of_bob, abs=1.6), (at, left)
        assert any(near) or right == pytest.approx(of_ada, abs=1.6), (at, right)
    begun, ended = loud(path)
    assert begun == pytest.approx(late, abs=0.2)
    assert ended == pytest.approx(late + 10, abs=0.2)
    assert await held(ctx) == (used_bytes + (made["size_bytes"] or 0), 0)
    await sound_library(ctx)


async def together(ctx: Context, *names: str) -> list[ClipRow]:
    """Rows of charged clips of one moment, which have no media behind them."""
    clips = [
        await add_clip(ctx, name, owner="root", shared_by=name, moment_id="moment")
        for name in names
    ]
    for name in names:
        await charge(ctx, "root", name)
    return [document(clip) for clip in clips]


async def test_a_side_by_side_goes_with_any_of_its_clips(ctx: Context) -> None:
    """One that is on its way, too, with what it holds of the quota; the rest is asked for anew."""
    _, bob, _ = await together(ctx, "ada", "bob", "carl")
    row = await asked(ctx, bob)
    assert row["beside"] == ["ada", "carl"]
    assert (await held(ctx))[1] > 0
    await library.delete(ctx, Caller("root"), "carl")
    assert await held(ctx) == (2 * 1000, 0)
    assert await settled(ctx) == []
    again = await asked(ctx, bob)
    assert again["beside"] == ["ada"]
    # Deleted while it was accepted, where nobody has withdrawn it: who is to make it does.
    accepting = {"$set": {"status": "accepting", "lease": "accepting"}}
    await ctx.store.rows(Rendition).update_one({"_id": again["_id"]}, accepting)
    await library.delete(ctx, Caller("root"), "ada")
    queued = {"$set": {"status": "queued", "lease": None}}
    await ctx.store.rows(Rendition).update_one({"_id": again["_id"]}, queued)
    assert await settled(ctx) == []
    assert await held(ctx) == (1000, 0)


async def test_up_to_four_clips_of_ones_own_and_of_one_moment_are_shown_and_whole(
    ctx: Context,
) -> None:
    await add_clip(ctx, "alone", owner="root")
    await add_clip(ctx, "single", owner="root", moment_id="another")
    await add_clip(ctx, "theirs", owner="bob", moment_id="another")
    for name in ("alone", "single"):
        with pytest.raises(Conflict, match="no other clip of the clip's moment"):
            await asked(ctx, document(clip_row(name)))
    clips = await together(ctx, "ada", "bob", "carl", "dora", "emil")
    for part in ({"start": 1}, {"end": 5}):
        with pytest.raises(Invalid, match="leave start and end out"):
            await asked(ctx, clips[0], **part)
    assert await ctx.store.rows(Rendition).count_documents({}) == 0
    assert (await asked(ctx, clips[4]))["beside"] == ["ada", "bob", "carl"]


async def test_clips_with_more_pauses_than_a_command_line_holds_are_refused(ctx: Context) -> None:
    """At once: as a film that is not made they would be tried again and again."""
    at = datetime.now(UTC)
    for name, pauses in (("one", 200), ("other", 301)):
        gaps = [
            {"start": at + timedelta(seconds=2 * n), "end": at + timedelta(seconds=2 * n + 1)}
            | {"why": "not-recorded", "kept": False}
            for n in range(pauses)
        ]
        ends = {"created_at": at, "delivered_end": at + timedelta(seconds=2 * pauses)}
        await add_clip(ctx, name, owner="root", moment_id="moment", gaps=gaps, **ends)
    for name in ("one", "other"):
        with pytest.raises(Conflict, match="leave out 501 pauses"):
            await asked(ctx, document(clip_row(name, owner="root", moment_id="moment")))
    assert await ctx.store.rows(Rendition).count_documents({}) == 0
