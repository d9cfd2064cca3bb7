"""`python -m app`: the whole service, one of its processes, or a tool for the terminal."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # until all of this is loaded: see `app.processes.loading`

import argparse
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.errors import ConfigurationError
from app.models import ProcessRole
from app.processes import life_signs, loading, process_name
from app.settings import Settings, load, misspelt
from app.terminal import commands as people

if TYPE_CHECKING:
    from app.context import Context
    from app.processes.forked_process import NextStep, Work

UMASK = 0o027
"""What the service's processes write is for its user, and for its group to read."""


def main(argv: list[str] | None = None) -> int:
    """Runs the command; its exit code: 0, 1 for a failure, 2 for bad arguments, 78 for settings."""
    arguments = _parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except ConfigurationError as error:
        sys.stderr.write(f"configuration error: {error}\n")
        return os.EX_CONFIG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Instant replay for LiveKit. Without a command: the whole service.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    api = commands.add_parser("api", help="only the HTTP API and the webhook receiver")
    api.add_argument("--fd", type=int, help="serve on this inherited listening socket")
    commands.add_parser("single", help="the whole service in one process, for small machines")
    commands.add_parser(
        "worker",
        help="only a worker: starts and stops egress, makes clips, sends events, deletes what is "
        "over",
    )
    commands.add_parser(
        "indexer", help="only an indexer: takes what egress records into the buffers"
    )
    health = commands.add_parser(
        "health", help="whether what runs here with the same settings is well, in one line"
    )
    health.add_argument(
        "role",
        nargs="?",
        choices=[role.value for role in ProcessRole],
        help="only this; default: all that runs here",
    )
    doctor = commands.add_parser("doctor", help="check the installation")
    doctor.add_argument(
        "--repair", action="store_true", help="settle what does not match between disk and index"
    )
    token = commands.add_parser("token", help="print an access token")
    token.add_argument("identity", metavar="IDENTITY")
    token.add_argument("--room", default="", help="limit it to this room")
    token.add_argument("--admin", action="store_true", help="room admin; without --room: of all")
    token.add_argument(
        "--ttl", type=people.duration, default=timedelta(hours=6), help="default: 6h"
    )
    people.add_parsers(commands)
    return parser


# Each command imports only what it needs, once its settings are right: `token` answers without
# loading a web server, and a wrong setting is told at once.


def _service(_: argparse.Namespace) -> int:
    loading.begin()
    settings = _set_up(load(), ProcessRole.SUPERVISOR)
    from app.processes import forked_process, supervisor
    from app.processes.signals import run_until_signalled

    processes = forked_process.fork(_works())
    loading.end()
    return run_until_signalled(supervisor.run(settings, processes))


def _works() -> Iterator[tuple[str, Work]]:
    """What each forked process does, once this one has loaded what it is to share with it."""
    loading.load(loading.BY_ALL)
    yield ProcessRole.INDEXER, partial(_in_fork, ProcessRole.INDEXER)
    loading.load(loading.BY_MOST)
    for role in (ProcessRole.API, ProcessRole.WORKER):
        yield role, partial(_in_fork, role)


def _in_fork(role: ProcessRole, next_step: NextStep) -> int:
    """What a forked process does: the same as one that the role's command has started."""
    next_step()  # where it counts, which prometheus_client asks when it is loaded
    loading.load(loading.BY_ROLE[role])
    handed = next_step()
    return main([role, *(f"--fd={descriptor}" for descriptor in handed)])


def _single(_: argparse.Namespace) -> int:
    loading.begin()
    settings = _set_up(load(), ProcessRole.SINGLE)
    from app import single
    from app.processes.signals import run_until_signalled

    loading.end()
    return run_until_signalled(single.run(settings))


def _api(arguments: argparse.Namespace) -> int:
    return _serve_api(_joined(ProcessRole.API), arguments.fd)


def _worker(_: argparse.Namespace) -> int:
    settings = _joined(ProcessRole.WORKER)
    from app import worker

    return _serve(settings, ProcessRole.WORKER, worker.run)


def _indexer(_: argparse.Namespace) -> int:
    settings = _joined(ProcessRole.INDEXER)
    from app.indexing import indexer

    return _serve(settings, ProcessRole.INDEXER, indexer.run)


def _health(arguments: argparse.Namespace) -> int:
    try:
        settings = load()
    except ConfigurationError as error:
        sys.stdout.write("; ".join(str(error).splitlines()) + "\n")
        return 1
    return life_signs.run(settings, arguments.role and ProcessRole(arguments.role))


def _doctor(arguments: argparse.Namespace) -> int:
    import asyncio

    settings = _joined("doctor")
    from app.condition import doctor

    loading.end()
    return asyncio.run(doctor.run(settings, repair=arguments.repair))


def _token(arguments: argparse.Namespace) -> int:
    from app.access.token_issue import issue_token

    room, admin, ttl = arguments.room, arguments.admin, arguments.ttl
    token = issue_token(load(), arguments.identity, room=room, admin=admin, ttl=ttl)
    sys.stdout.write(token + "\n")
    return 0


def _joined(role: str) -> Settings:
    """The settings of one process, or tool, of a service whose other processes run elsewhere."""
    loading.begin()
    from app.processes.stores import with_running_stores

    return _set_up(with_running_stores(load()), role)


def _set_up(settings: Settings, role: str) -> Settings:
    """The settings, once the mode of this process's files and its log lines are set up."""
    import structlog

    from app import logs

    os.umask(UMASK)
    process_name.tell(role)
    logs.configure(settings, role)
    for name, meant in misspelt().items():
        structlog.get_logger().warning("setting_misspelt", name=name, meant=meant)
    return settings


def _serve(
    settings: Settings, role: ProcessRole, work: Callable[[Context], Awaitable[None]]
) -> int:
    """Runs what a process does, within what each of them opens, tells and serves."""
    from app.condition import pulses
    from app.context import opened
    from app.processes import liveness
    from app.processes.signals import run_until_signalled
    from app.tracing import collector

    metrics: Callable[[Context], AbstractAsyncContextManager[object]] = nullcontext
    if settings.metrics_port:  # else this process loads no web server
        from app.condition import metrics_server

        metrics = metrics_server.served

    async def run() -> None:
        async with (
            liveness.told(settings, role) as troubles,
            collector.sent_to(settings, role),
            opened(settings, troubles) as ctx,
            pulses.alive(ctx, role),
            metrics(ctx),
        ):
            await work(ctx)

    loading.end()
    return run_until_signalled(run())


def _serve_api(settings: Settings, descriptor: int | None) -> int:
    import uvloop

    from app.context import opened
    from app.main import create_app
    from app.processes import liveness
    from app.processes.signals import run_until_signalled
    from app.processes.supervisor import listen
    from app.serving.server import STOP_SECONDS
    from app.serving.server import config as server_config
    from app.serving.streaming_guest import StreamingGuest
    from app.tracing import collector
    from handlers import router

    loading.end()

    async def run() -> None:
        # Opened here, because uvicorn buries what a start refuses in a traceback, and nothing ends
        # it while it waits for an application to start.
        async with (
            liveness.told(settings, ProcessRole.API) as troubles,
            collector.sent_to(settings, ProcessRole.API),
            opened(settings, troubles) as ctx,
        ):
            config = server_config(
                create_app(settings, router, ctx),
                settings,
                lifespan="on",
                timeout_graceful_shutdown=STOP_SECONDS,
            )
            if descriptor is None:
                listener = listen(settings.host, settings.port)
            else:
                listener = socket.socket(fileno=descriptor)
            await StreamingGuest(config).serve_until_cancelled(listener)

    return run_until_signalled(run(), uvloop.new_event_loop)


COMMANDS: dict[str | None, Callable[[argparse.Namespace], int]] = {
    None: _service,
    "single": _single,
    "api": _api,
    "worker": _worker,
    "indexer": _indexer,
    "health": _health,
    "doctor": _doctor,
    "token": _token,
    **people.COMMANDS,
}


if __name__ == "__main__":
    loading.end()
    sys.exit(main())
