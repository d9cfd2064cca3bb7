"""A process that is started before what it needs is there, or where it may not write."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.buffer.paths import BUFFER_ROOT, FRAGMENTS_ROOT
from app.buffer.session_folders import OUTER_MODE
from app.processes.free_ports import unused_port
from app.settings import Settings
from tests.chaos.link import Link, to_port, to_socket
from tests.integration.processes.test_supervisor import run_to_end, start
from tests.waiting import PATIENCE_SECONDS, wait_for


async def linked(settings: Settings, stack: AsyncExitStack) -> tuple[dict[str, str], list[Link]]:
    """The tests' stores behind links that are cut: MongoDB's, then Redis's."""
    mongo, redis = urlsplit(settings.mongo_url), urlsplit(settings.redis_url)
    ways = [
        to_port(mongo.port or 0),
        to_socket(redis.path) if redis.path else to_port(redis.port or 0),
    ]
    links = [await stack.enter_async_context(Link(way).served(unused_port())) for way in ways]
    for link in links:
        link.cut()
    login = mongo.netloc.rpartition("@")[0]
    netloc = f"{login}@127.0.0.1:{links[0].port}" if login else f"127.0.0.1:{links[0].port}"
    database = parse_qs(redis.query).get("db", ["0"])[0]
    return {
        "MONGO_URL": mongo._replace(netloc=netloc).geturl(),
        "REDIS_URL": f"redis://127.0.0.1:{links[1].port}/{database}",
    }, links


@pytest.mark.parametrize(
    "role", ["api", "worker", pytest.param("indexer", marks=pytest.mark.heavy)]
)
async def test_a_process_waits_for_stores_that_are_away(
    settings: Settings, tmp_path: Path, role: str
) -> None:
    """With one line a try, which says what is missing; it begins when both are there."""
    async with AsyncExitStack() as stack:
        urls, (mongo, redis) = await linked(settings, stack)
        service = await start(tmp_path, role, LOG_FORMAT="json", **urls)

        def needed() -> str:
            lines = [json.loads(line) for line in service.log().splitlines()]
            return str(lines[-1].get("needs", "")) if lines else ""

        try:
            await wait_for(lambda: needed() == "MONGO_URL")
            code, said = await service.health(role)
            assert code == 1
            assert said.startswith(f"{role}: its start waits for MONGO_URL: ")
            mongo.heal()
            await wait_for(lambda: needed() == "REDIS_URL")
            redis.heal()
            await wait_for(service.answers if role == "api" else lambda: not needed())
            assert service.process.returncode is None
            await wait_for(partial(service.is_well, role))
            assert "Traceback" not in service.log()
        finally:
            service.process.terminate()
            code = await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)
        assert code == 0, "what it was told to do is no failure"


async def test_a_process_that_waits_ends_when_it_is_told_to(
    settings: Settings, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        urls, _ = await linked(settings, stack)
        service = await start(tmp_path, "api", **urls)
        await wait_for(lambda: "start_waits" in service.log())
        service.process.terminate()
        assert await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS) == 0


async def test_a_media_root_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    """In a sentence, by the whole service too: it is not started again and again."""
    (tmp_path / "file").touch()
    code, said = await run_to_end(tmp_path, FILE_UPLOAD_DEST=str(tmp_path / "file/media"))
    assert code == 78
    assert f"FILE_UPLOAD_DEST='{tmp_path}/file/media': Not a directory" in said
    assert "Traceback" not in said


@pytest.mark.heavy
@pytest.mark.parametrize("umask", [0o000, 0o077])
async def test_modes_of_files_do_not_go_by_the_umask_of_whoever_starts_us(
    tmp_path: Path, umask: int
) -> None:
    """Hardened units and some runtimes have another: nobody else writes, and egress gets in."""
    before = os.umask(umask)
    try:
        service = await start(tmp_path)
    finally:
        os.umask(before)
    media = tmp_path / "data/media"
    try:
        await wait_for(service.answers)
        await wait_for((media / FRAGMENTS_ROOT).is_dir)
        await wait_for(lambda: mode_of(media / BUFFER_ROOT) == OUTER_MODE)
        modes = {each: mode_of(each) for each in (tmp_path / "data").rglob("*")}
    finally:
        service.process.terminate()
        await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)
    assert [each for each, mode in modes.items() if mode is not None and mode & 0o022] == []
    assert modes[media] == 0o750
    assert modes[media / FRAGMENTS_ROOT] == 0o700


def mode_of(path: Path) -> int | None:
    """The mode of what is there now; None of what is gone."""
    try:
        return stat.S_IMODE(path.lstat().st_mode)
    except FileNotFoundError:
        return None
