"""A process of the service tells, to whoever asks on this machine, that it lives and what is wrong.

Those who ask: `app.processes.life_signs`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from app.models import ProcessRole
from app.processes import life_signs
from app.settings import Settings
from app.work.troubles import Troubles

AGAIN_SECONDS = 10.0
"""Until it is tried again to tell where there was no place for that."""

log = structlog.get_logger()


@asynccontextmanager
async def told(
    settings: Settings, role: ProcessRole, again_seconds: float = AGAIN_SECONDS
) -> AsyncIterator[Troubles]:
    """Answers until the block ends; gives what is to be told of.

    The block goes on where there is no place for the socket, and that is tried again and again:
    until then `health` says that none runs.
    """
    troubles = Troubles()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(troubles.current()).encode())
        writer.close()

    async with AsyncExitStack() as answering:

        async def begin() -> bool:
            try:
                path, listener = _place(settings, role)
            except OSError as error:
                log.warning("health_not_told", error=str(error))
                return False
            answering.callback(life_signs.remove, path)
            await answering.enter_async_context(
                await asyncio.start_unix_server(answer, sock=listener)
            )
            return True

        async def go_on_trying() -> None:
            while True:
                await asyncio.sleep(again_seconds)
                if await begin():
                    return

        trying = None if await begin() else asyncio.create_task(go_on_trying())
        try:
            yield troubles
        finally:
            if trying is not None:
                trying.cancel()
                await asyncio.wait([trying])


def _place(settings: Settings, role: ProcessRole) -> tuple[Path, socket.socket]:
    """A new socket, and where it is; those that were there before are removed. Raises OSError."""
    life_signs.remove_dead()
    former = life_signs.sockets(settings, role)
    path = life_signs.new_path(settings, role)
    listener = _listening(path)
    for each in former:  # of one that was killed, or that this one takes over from
        life_signs.remove(each)
    return path, listener


def _listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        listener.listen()
    except BaseException:
        listener.close()
        life_signs.remove(path)
        raise
    return listener
