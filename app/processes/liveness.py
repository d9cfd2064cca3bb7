"""A process of the service tells, to whoever asks on this machine, that it lives and what is wrong.

Those who ask: `app.processes.life_signs`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
        path = life_signs.socket_path(settings, role)
        listener = _listening(path)
    except OSError as error:
        log.warning("health_not_told", error=str(error))
        yield troubles
        return
    own = path.lstat().st_ino
    try:
        async with await asyncio.start_unix_server(answer, sock=listener):
            yield troubles
    finally:
        with suppress(OSError):
            if path.lstat().st_ino == own:  # else another process has taken the name
                path.unlink()


def _listening(path: Path) -> socket.socket:
    """It takes the name from a process that was killed, or has it no longer to itself."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener
