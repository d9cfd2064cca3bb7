"""`python -m app single`: the same service in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio
from livekit import api

from app import single
from app.models import ProcessRole
from app.work.troubles import Troubles
from tests.integration.processes.test_supervisor import Service, other_port, run_to_end, start
from tests.plain_http import plain_client
from tests.service import STORES, programs
from tests.waiting import PATIENCE_SECONDS, wait_for


def tree(service: Service) -> list[psutil.Process]:
    process = psutil.Process(service.process.pid)
    return [process, *process.children(recursive=True)]


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    service = await start(tmp_path_factory.mktemp("single"), "single")
    try:
        await wait_for(service.answers)
        yield service
    finally:
        if service.process.returncode is None:
            service.process.terminate()
        await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)


async def test_one_process_has_all_roles(running: Service) -> None:
    """Beside it there are the stores, and what reads strangers' media, which is no `app ROLE`."""
    roles = {"api": "api", "worker": "worker", "indexer": "indexer"}
    assert programs(tree(running), STORES).keys() == STORES.keys()
    assert programs(tree(running), roles) == {}
    async with plain_client(base_url=running.url) as client:

        async def ready() -> bool:
            found: dict[str, str] = (await client.get("/readyz")).json()["checks"]
            return {found[each] for each in ("worker", "indexer", "mongo", "redis")} == {"ok"}

        await wait_for(ready)


async def test_a_second_service_on_its_data_is_refused(running: Service) -> None:
    folder = running.log_path.parent
    for arguments in ((), ("single",)):
        code, output = await run_to_end(folder, *arguments, PORT=other_port())
        assert code == 78
        assert f"is in use by the service with process id {running.process.pid}" in output


async def test_what_is_wrong_is_told_in_a_sentence(running: Service, tmp_path: Path) -> None:
    port = running.url.rpartition(":")[2]
    code, output = await run_to_end(tmp_path, "single", PORT=port)
    assert code == 78
    assert f"PORT={port}: can't listen there" in output
    assert "Traceback" not in output


async def test_sigterm_ends_it_in_order(tmp_path: Path) -> None:
    service = await start(tmp_path, "single")
    await wait_for(service.answers)
    processes = tree(service)
    service.process.terminate()
    assert await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS) == 0
    assert not [each for each in processes if each.is_running()]
    for refused in ("Traceback", "child_killed", "child_ended", "role_ended"):
        assert refused not in service.log()
    assert "service_ended" in service.log()


async def test_it_tells_that_it_is_well(running: Service) -> None:
    for arguments in ((), ("single",)):
        await wait_for(partial(running.is_well, *arguments))
    assert (await running.health("worker"))[0] == 1, "no process of its own"


@pytest.mark.parametrize("arguments", [(), ("single",)])
async def test_who_follows_what_happens_does_not_hold_up_the_end(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Whether it is one process or several: streams of events end at once, and in order."""
    service = await start(tmp_path, *arguments)
    await wait_for(service.answers)
    headers = {"Authorization": f"Bearer {access_token()}", "Accept": "text/event-stream"}
    async with (
        plain_client(base_url=service.url) as client,
        client.stream("GET", "/buffers/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        following = asyncio.create_task(answer.aread())
        service.process.terminate()
        with suppress(httpx.RemoteProtocolError):  # such a stream has no end of its own
            await asyncio.wait_for(following, PATIENCE_SECONDS)
    assert await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS) == 0
    for refused in ("Traceback", "graceful shutdown exceeded"):
        assert refused not in service.log()


def access_token() -> str:
    grants = api.VideoGrants(room_join=True, room="studio")
    made = api.AccessToken("devkey", "the-secret-of-the-tests-of-32-bytes")
    return made.with_identity("ann").with_grants(grants).to_jwt()


async def test_nothing_outlives_it(tmp_path: Path) -> None:
    service = await start(tmp_path, "single")
    await wait_for(service.answers)
    processes = tree(service)
    service.process.kill()
    await service.process.wait()
    await wait_for(lambda: not [each for each in processes if each.is_running()])


async def test_a_role_that_ends_is_started_again() -> None:
    """Whatever ended it; that it does so again and again is told. Cancelled, it ends for good."""
    starts: list[int] = []

    async def work() -> None:
        starts.append(len(starts))
        if len(starts) == 1:
            raise RuntimeError("the worker's queue is gone")
        if len(starts) == 2:
            raise ExceptionGroup("of a task group", [OSError("a disk is gone")])
        if len(starts) == 3:
            return
        await asyncio.Event().wait()

    troubles = Troubles()
    role = asyncio.create_task(single.keep(ProcessRole.WORKER, work, troubles))
    await wait_for(lambda: len(starts) == 4)
    (told,) = troubles.current()
    assert told.startswith("worker ends again and again: 3 times in ")
    assert told.endswith("the last time by itself")
    role.cancel()
    await asyncio.wait({role})
    assert role.cancelled()
