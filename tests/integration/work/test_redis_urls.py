"""Any REDIS_URL that redis-py takes works everywhere; Sentinels are followed, Clusters refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.condition import peers, pulses
from app.context import Context, opened
from app.errors import ConfigurationError
from app.models import ProcessRole
from app.processes.free_ports import unused_port
from app.settings import Settings
from app.work.queue import Queue
from tests.chaos.link import Link, to_port
from tests.integration.conftest import MakeSettings
from tests.integration.processes.test_supervisor import run_to_end
from tests.integration.work.notes import NOTE, working
from tests.valkey import Valkey, sentinel, valkey
from tests.waiting import wait_for

PASSWORD = "p@ss/w%1#:?"
ENCODED = quote(PASSWORD, safe="")
SERVICE = "replay-queue"


async def works(settings: Settings) -> None:
    """Doctor, queue and worker all reach it. What is asked for tomorrow stays there."""
    assert (await peers.redis(settings)).level == "ok"
    async with (
        opened(settings) as ctx,
        working(ctx) as noted,
        pulses.alive(ctx, ProcessRole.WORKER),
    ):
        await ctx.queue.ask(NOTE, "a word")
        await wait_for(lambda: noted == ["a word"])
        await ctx.queue.ask(NOTE, "later", at=datetime.now(UTC) + timedelta(days=1))


async def certified(folder: Path) -> ssl.SSLContext:
    """What a server at 127.0.0.1 speaks TLS with; `folder` gets its certificate, `cert.pem`."""
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
        *("-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=valkey"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        cwd=folder,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("options", ["", "?db=3", "?client_name=replay&max_connections=3"])
async def test_an_encoded_password_and_options_are_what_they_say(
    make_settings: MakeSettings, tmp_path: Path, options: str
) -> None:
    login = f":{ENCODED}@"
    async with valkey(tmp_path / "valkey", "--requirepass", PASSWORD, login=login) as server:
        await works(make_settings(redis_url=server.url.removesuffix("/0") + options))
        async with server.client() as redis:
            keys = await redis.info("keyspace")
        assert ("db3" in keys) == ("db=3" in options)


async def test_an_acl_user_may_be_given(make_settings: MakeSettings, tmp_path: Path) -> None:
    """With the rights that it needs; INFO, by which a Cluster is told, is among them."""
    rights = ["~replay:*", "~arq:*", "&*", "+@all", "-@dangerous"]
    user = ["--user", "replay", "on", f">{PASSWORD}", *rights]
    login = f"replay:{ENCODED}@"
    async with valkey(tmp_path / "valkey", *user, "+info", login=login) as server:
        await works(make_settings(redis_url=server.url))
    async with valkey(tmp_path / "other", *user, login=login) as server:
        with pytest.raises(ConfigurationError, match="may not ask INFO"):
            await Queue.connect(make_settings(redis_url=server.url))


async def test_a_unix_socket_may_be_given(make_settings: MakeSettings, tmp_path: Path) -> None:
    options = ("--unixsocket", "a b.sock", "--requirepass", PASSWORD)
    login = f":{ENCODED}@"
    async with valkey(tmp_path / "v", *options, login=login) as server:
        socket = quote(str(tmp_path / "v/a b.sock"))
        await works(make_settings(redis_url=f"unix://{login}{socket}?db=2"))
        async with server.client() as redis:
            assert "db2" in await redis.info("keyspace")


async def test_tls_is_spoken_as_its_options_say(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    """With the certificate's authority, or with none; a certificate of nobody's is not taken."""
    tls = await certified(tmp_path)
    async with (
        valkey(tmp_path / "valkey", "--requirepass", PASSWORD, login=f":{ENCODED}@") as server,
        Link(to_port(server.port)).served(unused_port(), tls) as link,
    ):
        url = f"rediss://:{ENCODED}@127.0.0.1:{link.port}/0"
        authority = f"ssl_ca_certs={quote(str(tmp_path / 'cert.pem'))}&ssl_check_hostname=true"
        await works(make_settings(redis_url=f"{url}?{authority}"))
        await works(make_settings(redis_url=f"{url}?ssl_cert_reqs=none"))
        with pytest.raises(RedisError, match="CERTIFICATE_VERIFY_FAILED"):
            await Queue.connect(make_settings(redis_url=url))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[str, Valkey, Valkey]]:
    """A server with a replica, which a Sentinel watches, and the URL of both."""
    login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
    at = f":{ENCODED}@"
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(valkey(folder / "first", *login, login=at))
        replica = ("--replicaof", f"127.0.0.1 {first.port}", "--repl-diskless-sync-delay", "0")
        second = await stack.enter_async_context(
            valkey(folder / "second", *login, *replica, login=at)
        )
        watcher = await stack.enter_async_context(
            sentinel(folder / "sentinel", first, SERVICE, PASSWORD)
        )

        async def is_watched() -> bool:
            async with watcher.client() as redis:
                found = await redis.sentinel_slaves(SERVICE)  # type: ignore[no-untyped-call]
            return any(not each["is_sdown"] and not each["is_disconnected"] for each in found)

        await wait_for(is_watched)
        nobody = unused_port()
        hosts = f"127.0.0.1:{nobody},127.0.0.1:{watcher.port}"
        yield f"redis+sentinel://:{ENCODED}@{hosts}/{SERVICE}/1", first, second


async def asked(ctx: Context, word: str) -> bool:
    """Whether the queue has taken it. Tried again, it is another job: a word may come twice."""
    try:
        await ctx.queue.ask(NOTE, word)
    except RedisError:
        return False
    return True


async def test_a_server_that_sentinels_name_is_followed_when_it_dies(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    """To the one that takes its place; so is one that has become a replica."""
    async with watched(tmp_path) as (url, first, second):
        settings = make_settings(redis_url=url)
        async with opened(settings) as ctx, working(ctx) as noted:
            await ctx.queue.ask(NOTE, "before")
            await wait_for(lambda: "before" in noted)
            await first.kill()
            await wait_for(lambda: asked(ctx, "after"), what="asked of the other server")
            await wait_for(lambda: "after" in noted)
            async with second.client() as redis:
                assert (await redis.info("replication"))["role"] == "master"
        assert (await peers.redis(settings)).level == "ok"


@pytest.mark.heavy
async def test_a_fail_over_without_a_death_is_followed(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    """The old server lives on as a replica, which refuses every write."""
    async with (
        watched(tmp_path) as (url, first, second),
        opened(make_settings(redis_url=url)) as ctx,
        working(ctx) as noted,
    ):
        await ctx.queue.ask(NOTE, "before")
        await wait_for(lambda: "before" in noted)
        port = url.partition(f"/{SERVICE}")[0].rpartition(":")[2]
        async with Redis.from_url(f"redis://127.0.0.1:{port}") as redis:
            await redis.execute_command("SENTINEL", "FAILOVER", SERVICE)

        async def changed() -> bool:
            async with first.client() as old, second.client() as new:
                roles = [(await each.info("replication"))["role"] for each in (old, new)]
            return roles == ["slave", "master"]

        await wait_for(changed)
        await wait_for(lambda: asked(ctx, "after"))
        await wait_for(lambda: "after" in noted)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("api",),
        pytest.param(("single",), marks=pytest.mark.heavy),
        pytest.param(("worker",), marks=pytest.mark.heavy),
    ],
)
async def test_a_cluster_is_refused_in_a_sentence(
    settings: Settings, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """By what the server says of itself, as its URL looks like any other."""
    async with valkey(tmp_path / "valkey", "--cluster-enabled", "yes") as server:
        urls = {"MONGO_URL": settings.mongo_url, "REDIS_URL": server.url}
        code, said = await run_to_end(tmp_path, *command, **urls)
        assert code == 78
        assert "REDIS_URL names a server of a Redis Cluster (cluster_enabled:1)" in said
        assert "Traceback" not in said


async def test_a_sentinel_that_is_taken_for_a_server_is_refused(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    async with (
        valkey(tmp_path / "valkey") as server,
        sentinel(tmp_path / "sentinel", server, SERVICE) as watcher,
    ):
        with pytest.raises(ConfigurationError, match="begin it with redis\\+sentinel://"):
            await Queue.connect(make_settings(redis_url=watcher.url))


async def test_an_option_that_nobody_knows_is_named(make_settings: MakeSettings) -> None:
    with pytest.raises(ConfigurationError, match=r"REDIS_URL: .*'ssl_everything'"):
        await Queue.connect(make_settings(redis_url="redis://127.0.0.1?ssl_everything=1"))
