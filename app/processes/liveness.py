"""A process of the service tells, to whoever asks on this machine, that it lives and what is wrong.

Those who ask: `app.processes.life_signs`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from app.models import ProcessRole
from app.processes import life_signs
from app.settings import Settings
from app.work.troubles import Troubles

log = structlog.get_logger()


@asynccontextmanager
async def told(settings: Settings, role: ProcessRole) -> AsyncIterator[Troubles]:
    """Answers until the block ends; gives what is to be told of.

    The block goes on where there is no place for the socket: then `health` says that none runs.
    """
    troubles = Troubles()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(troubles.current()).encode())
        writer.close()

    try:
        life_signs.remove_dead()
        former = life_signs.sockets(settings, role)
        path = life_signs.new_path(settings, role)
        listener = _listening(path)
    except OSError as error:
        log.warning("health_not_told", error=str(error))
        yield troubles
        return
    for each in former:  # of one that was killed, or that this one takes over from
        life_signs.remove(each)
    try:
        async with await asyncio.start_unix_server(answer, sock=listener):
            yield troubles
    finally:
        life_signs.remove(path)


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
