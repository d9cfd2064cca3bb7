"""A disk that is mounted late, or drops out: nothing is written below its mount point."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.buffer import paths
from app.cleaning import cleanup
from app.clips import clip_expiry
from app.condition import doctor, health, peers
from app.context import Context, known_instance, opened
from app.errors import ConfigurationError
from app.models.schema import EgressSession, ReplayClip
from app.settings import Settings
from app.storage.instance import UNTOLD
from app.work.troubles import Troubles
from tests.integration.clips.test_library import shelve
from tests.integration.conftest import MakeSettings
from tests.waiting import wait_for


@contextmanager
def unmounted(root: Path) -> Iterator[None]:
    """The media root is elsewhere, and an empty folder in its place; nothing may come into it."""
    away = root.with_name("away")
    root.rename(away)
    root.mkdir()
    yield
    assert [*root.iterdir()] == []
    root.rmdir()
    away.rename(root)


async def test_a_start_waits_for_the_disk_of_an_installation_that_has_one(
    ctx: Context, settings: Settings
) -> None:
    troubles = Troubles()

    async def start() -> str:
        async with opened(settings, troubles) as again:
            return again.instance

    with unmounted(settings.media_root):
        starting = asyncio.create_task(start())
        await wait_for(lambda: any(ctx.instance in each for each in troubles.current()))
        assert not starting.done()
    assert await starting == ctx.instance
    assert troubles.current() == []


async def test_a_database_of_before_the_id_was_noted_tells_it_by_its_sessions(
    ctx: Context, settings: Settings
) -> None:
    now = datetime.now(UTC)
    for instance, age in ((ctx.instance, 1), ("0123abcd", 2)):
        session_id = paths.new_session_id(instance, now)
        began = {"_id": session_id, "created_at": now - timedelta(hours=age)}
        await ctx.store.database[+EgressSession].insert_one(began)
    await ctx.store.database["schema"].update_many({}, {"$unset": {"instance": ""}})
    assert await ctx.store.known_instance() is None
    assert await known_instance(ctx.store, settings.media_root) is None  # the root tells
    troubles = Troubles()

    async def start() -> str:
        async with opened(settings, troubles) as again:
            return again.instance

    with unmounted(settings.media_root):
        starting = asyncio.create_task(start())
        await wait_for(lambda: any(ctx.instance in each for each in troubles.current()))
    assert await starting == ctx.instance
    assert await ctx.store.known_instance() == ctx.instance


async def test_a_url_that_is_none_ends_no_examination(make_settings: MakeSettings) -> None:
    for url in ("mongodb://a:b:c/replay", "mongodb://127.0.0.1:99999999/replay"):
        assert await peers.known_instance(make_settings(mongo_url=url)) == UNTOLD


async def test_a_start_on_the_root_of_another_installation_ends_with_a_sentence(
    ctx: Context, settings: Settings
) -> None:
    other = "0" * 8 if ctx.instance != "0" * 8 else "1" * 8
    (settings.media_root / ".instance").write_text(f"{other}\n")
    with pytest.raises(ConfigurationError, match=f"is of installation '{other}'"):
        async with opened(settings):
            pass


async def test_a_root_that_vanishes_while_the_service_runs_is_told_and_left_alone(
    ctx: Context, settings: Settings
) -> None:
    assert (await health.Readiness(ctx).read())["media_root"] == "ok"
    with unmounted(settings.media_root):
        told = (await health.Readiness(ctx).read())["media_root"]
        assert told == "the media root is not there: its disk is not mounted"
        await cleanup.run(ctx)
        findings = [each async for each in doctor.examine(settings, at_a_glance=True)]
    (root,) = [each for each in findings if each.name == "media root"]
    assert (root.level, f"write {ctx.instance} into" in root.text) == ("fail", True)


async def test_of_a_clip_whose_disk_is_away_nothing_is_forgotten(
    ctx: Context, settings: Settings
) -> None:
    await shelve(ctx, 1)
    deleted = {"deleted_at": datetime.now(UTC) - timedelta(days=90)}
    await ctx.store.rows(ReplayClip).update_many({}, {"$set": deleted})
    with unmounted(settings.media_root):
        await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).count_documents({}) == 1
    await clip_expiry.sweep_clips(ctx)
    assert await ctx.store.rows(ReplayClip).count_documents({}) == 0
