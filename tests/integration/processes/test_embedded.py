"""The embedded stores keep what they acknowledged, come back, and belong to one service."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import struct
import sys
import sysconfig
import textwrap
import venv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import pytest_asyncio
import redis.asyncio
import redis.exceptions
from pymongo import AsyncMongoClient, monitoring
from pymongo.errors import OperationFailure, PyMongoError

from app.errors import ConfigurationError
from app.processes import program_logs
from app.processes.child import Child
from app.processes.embedded import embedded_stores, running_stores
from app.processes.free_ports import choose_ports, remembered_ports, unused_port
from app.processes.store_password import strangers
from app.processes.store_programs import STORES
from tests.waiting import wait_for

SERVICE = textwrap.dedent(
    """
    import asyncio, json, sys
    from pathlib import Path
    from app.processes.embedded import embedded_stores

    async def main():
        async with embedded_stores(Path(sys.argv[1])) as urls:
            print(json.dumps(urls), flush=True)
            await asyncio.sleep(600)

    asyncio.run(main())
    """
)


async def _start(data_dir: Path) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    """A process of its own that runs the stores, and their URLs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, str(data_dir), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    return process, json.loads(await asyncio.wait_for(process.stdout.readline(), 60))


async def _kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def _redis(urls: dict[str, str]) -> Any:
    # redis-py 5 has no types for from_url
    client = redis.asyncio.from_url(urls["REDIS_URL"])  # type: ignore[no-untyped-call]
    return client


async def _write(urls: dict[str, str], value: int) -> None:
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
    async with mongo, _redis(urls) as client:
        await mongo["replay"]["values"].insert_one({"_id": value})
        await client.rpush("values", value)


async def _read(urls: dict[str, str]) -> tuple[list[int], list[int]]:
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
    async with mongo, _redis(urls) as client:
        rows = await mongo["replay"]["values"].find().sort("_id", 1).to_list()
        kept = await client.lrange("values", 0, -1)
    return [row["_id"] for row in rows], [int(value) for value in kept]


async def test_what_was_acknowledged_survives_the_killing_of_everything(tmp_path: Path) -> None:
    process, urls = await _start(tmp_path)
    try:
        for value in range(20):
            await _write(urls, value)
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        await _kill(process)
        process, again = await _start(tmp_path)
        assert again == urls, "a restart has the same ports"
        assert await _read(again) == (list(range(20)), list(range(20)))
    finally:
        await _kill(process)


async def test_the_stores_of_a_killed_service_die_with_it(tmp_path: Path) -> None:
    process, _ = await _start(tmp_path)
    stores = psutil.Process(process.pid).children(recursive=True)
    assert len(stores) == 2
    await _kill(process)
    await wait_for(lambda: not any(store.is_running() for store in stores))
    assert running_stores(tmp_path) == {}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest_asyncio.fixture(scope="module")
async def urls(data_dir: Path) -> AsyncIterator[dict[str, str]]:
    """The stores under data_dir, run by this process."""
    async with embedded_stores(data_dir) as found:
        yield found


async def test_a_second_service_on_the_same_folder_is_refused(
    urls: dict[str, str], data_dir: Path
) -> None:
    with pytest.raises(ConfigurationError, match=rf"DATA_DIR=.*process id {os.getpid()}:"):
        async with embedded_stores(data_dir):
            pass
    await _write(urls, 1)


async def test_a_log_that_strangers_fill_is_bounded(urls: dict[str, str], data_dir: Path) -> None:
    """The store writes on at its end, where strangers' messages are told of."""
    log_path = data_dir / "log/mongo.log"
    with log_path.open("ab") as file:
        file.write(b"a stranger was here\n" * (program_logs.LOG_BYTES // 10))
    await wait_for(lambda: log_path.stat().st_size < program_logs.LOG_BYTES)
    assert log_path.with_suffix(".log.1").stat().st_size == program_logs.LOG_BYTES
    address = urlsplit(urls["MONGO_URL"])
    garbage = struct.pack("<iiii", 20, 1, 0, 2013) + b"none"
    with socket.create_connection((str(address.hostname), address.port or 0)) as stranger:
        stranger.sendall(garbage)
        await wait_for(lambda: log_path.stat().st_size > 0)
    assert not log_path.read_bytes().startswith(b"\0")


async def test_the_tools_find_the_running_stores(
    urls: dict[str, str], data_dir: Path, tmp_path: Path
) -> None:
    assert running_stores(data_dir) == urls
    assert running_stores(tmp_path) == {}


async def test_a_store_that_is_killed_comes_back_on_its_port(
    urls: dict[str, str], data_dir: Path
) -> None:
    await _write(urls, 2)
    before = await _read(urls)
    stores = [
        child for child in psutil.Process().children() if Path(child.cwd()).parent == data_dir
    ]
    assert len(stores) == 2
    for store in stores:
        store.kill()
    await wait_for(lambda: not any(store.is_running() for store in stores))

    async def values() -> tuple[list[int], list[int]] | None:
        try:
            return await _read(urls)
        except (PyMongoError, redis.exceptions.RedisError):
            return None

    assert await wait_for(values) == before


class _Commands(monitoring.CommandListener):
    """What a client asks of the database: names of commands, and whether each may be repeated."""

    def __init__(self) -> None:
        self.asked = dict[str, bool]()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.asked[event.command_name] = "txnNumber" in event.command

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


async def test_a_write_is_not_tried_again_by_a_driver_that_lost_its_answer(
    urls: dict[str, str],
) -> None:
    """The database that comes back does not know which writes it has done."""
    commands = _Commands()
    async with AsyncMongoClient[Any](urls["MONGO_URL"], event_listeners=[commands]) as client:
        numbers = client.get_default_database().numbers
        await numbers.insert_one({"value": 7})
        await numbers.update_one({"value": 7}, {"$inc": {"value": 1}})
        await numbers.delete_one({"value": 8})
    writes = ("insert", "update", "delete")
    assert {write: commands.asked[write] for write in writes} == dict.fromkeys(writes, False)


async def test_nobody_else_on_the_machine_may_ask_the_stores(
    urls: dict[str, str], data_dir: Path
) -> None:
    """The database wants the password, the queue has no port, and both secrets are ours alone."""
    port = remembered_ports(data_dir / "ports.json")["MONGO_URL"]
    for stranger in ("", "replay:guess@", "root:root@"):
        url = f"mongodb://{stranger}127.0.0.1:{port}/?directConnection=true"
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        async with client:
            with pytest.raises(OperationFailure):
                await client["replay"]["clips"].find_one({})
    queue = urlsplit(urls["REDIS_URL"])
    assert queue.scheme == "unix"
    assert stat.S_ISSOCK(Path(queue.path).stat().st_mode)
    for path in (data_dir / "mongo.password", Path(queue.path), Path(queue.path).parent):
        assert not path.stat().st_mode & 0o077, path
    for process in psutil.Process().children():
        if Path(process.cwd()).parent == data_dir:
            listening = [each for each in process.net_connections() if each.status == "LISTEN"]
            assert {each.laddr.ip for each in listening} <= {"127.0.0.1"}
            password = (data_dir / "mongo.password").read_text().strip()
            assert password not in " ".join(process.cmdline())


async def test_a_database_without_users_gets_ours_and_no_other(tmp_path: Path) -> None:
    """One that was made before there were passwords keeps its rows; who got in goes."""
    command = STORES["MONGO_URL"].find()
    assert command
    (tmp_path / "mongo").mkdir(mode=0o700)
    port = unused_port()
    options = [each for each in STORES["MONGO_URL"].options if each != "--auth"]
    child = Child("mongo", [*command, "--port", str(port), *options], cwd=tmp_path / "mongo")
    child.start()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        f"mongodb://127.0.0.1:{port}/?directConnection=true"
    )
    async with client:
        await client["replay"]["clips"].insert_one({"_id": "kept"})
        for database in ("admin", "elsewhere"):
            await client[database].command("createUser", "stranger", pwd="x", roles=["root"])
    await child.stop(10)
    for _ in range(2):  # and once more, when all is as it should be
        async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
            ours: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
            async with ours:
                assert await ours["replay"]["clips"].find_one({"_id": "kept"})
                users = await ours["admin"]["system.users"].find({}).to_list()
                assert [user["_id"] for user in users] == ["admin.replay"]


async def test_users_that_somebody_made_during_the_set_up_end_the_start(tmp_path: Path) -> None:
    """They are dropped, and the next start is a clean one."""
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        ours: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
        async with ours:
            await ours["admin"].command("createUser", "evil", pwd="x", roles=["root"])
    with pytest.raises(ConfigurationError, match=r"admin\.evil"):
        async with embedded_stores(tmp_path, ["MONGO_URL"]):
            pytest.fail("served")
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        assert await strangers(urls["MONGO_URL"]) == []


async def test_rows_that_somebody_wrote_during_the_set_up_end_the_start(tmp_path: Path) -> None:
    """Whoever finds the port that asks nobody, for a moment. Until then the database is new."""
    new = tmp_path / "mongo" / "new"

    async def run() -> None:
        async with embedded_stores(tmp_path, ["MONGO_URL"]):
            await asyncio.Event().wait()

    setting_up = asyncio.create_task(run())
    await wait_for(new.exists)
    setting_up.cancel()
    await asyncio.wait({setting_up})
    assert new.exists(), "whoever was killed in the set-up has looked at no row"
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        assert not new.exists()
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
        async with client:
            await client["replay"]["members"].insert_one({"_id": "mallory"})
    new.touch()
    with pytest.raises(ConfigurationError, match=r"replay\.members"):
        async with embedded_stores(tmp_path, ["MONGO_URL"]):
            pytest.fail("served")
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        ours: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
        async with ours:
            assert await ours["replay"]["members"].find_one({}) is None


async def test_a_lost_password_is_replaced(tmp_path: Path) -> None:
    """The file is gone: the next start makes another, and the database takes it."""
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        first = urls["MONGO_URL"]
    (tmp_path / "mongo.password").unlink()
    async with embedded_stores(tmp_path, ["MONGO_URL"]) as urls:
        assert urls["MONGO_URL"] != first
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(urls["MONGO_URL"])
        async with client:
            await client["replay"]["clips"].insert_one({"_id": "x"})


async def test_a_data_dir_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100)
    with pytest.raises(ConfigurationError, match="too long for the embedded store's Unix socket"):
        async with embedded_stores(folder, ["REDIS_URL"]):
            pass


async def test_only_the_store_that_is_asked_for_runs(tmp_path: Path) -> None:
    async with embedded_stores(tmp_path, ["REDIS_URL"]) as urls:
        assert list(urls) == ["REDIS_URL"]
        assert not (tmp_path / "mongo").exists()


async def test_a_store_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "redis/appendonlydir").mkdir(parents=True)
    (tmp_path / "redis/appendonlydir/appendonly.aof.manifest").write_text("no manifest\n")
    with pytest.raises(ConfigurationError, match=r"(?s)embedded store redis does not start.*AOF"):
        async with embedded_stores(tmp_path, ["REDIS_URL"]):
            pass


async def test_a_data_dir_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"DATA_DIR='.*/file/data': Not a directory"):
        async with embedded_stores(tmp_path / "file/data"):
            pass


async def test_without_the_extra_the_error_says_how_to_go_on(tmp_path: Path) -> None:
    """Asked of an environment that has our libraries, but not the stores' programs."""
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    process = await asyncio.create_subprocess_exec(
        tmp_path / "venv/bin/python",
        *("-c", SERVICE, tmp_path / "data"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert b"MONGO_URL is missing and its embedded store is not installed" in error
    assert b"pip install 'replay-buffer[embedded]'" in error


def test_a_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    memory = tmp_path / "ports.json"
    first = choose_ports(["MONGO_URL"], memory)["MONGO_URL"]
    assert choose_ports(["MONGO_URL"], memory) == {"MONGO_URL": first}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        second = choose_ports(["MONGO_URL"], memory)["MONGO_URL"]
    assert second != first
    assert remembered_ports(memory) == {"MONGO_URL": second}


@pytest.mark.parametrize("content", ["", "[]", '{"MONGO_URL": null}', "\x00", '{"MONGO_URL": 1e9}'])
def test_a_broken_memory_of_ports_is_forgotten(tmp_path: Path, content: str) -> None:
    memory = tmp_path / "ports.json"
    memory.write_text(content)
    assert 1024 < choose_ports(["MONGO_URL"], memory)["MONGO_URL"] < 65_536


def test_chosen_ports_are_not_given_to_outgoing_connections(tmp_path: Path) -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    names = [str(number) for number in range(50)]
    ports = choose_ports(names, tmp_path / "ports.json")
    assert not [port for port in ports.values() if lowest <= port <= highest]
