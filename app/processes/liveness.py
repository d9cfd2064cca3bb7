"""A process of the service tells, to whoever asks on this machine, that it lives and what is wrong.

Those who ask: `app.processes.life_signs`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from app.processes import life_signs
from app.settings import Settings
from app.work.troubles import Troubles

log = structlog.get_logger()


@asynccontextmanager
async def told(settings: Settings, role: str) -> AsyncIterator[Troubles]:
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
    """It listens before it has its name: whoever finds that without an answer finds one killed."""
    listener = socket.socket(socket.AF_UNIX)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        listener.bind(str(fresh))
        try:
            fresh.chmod(0o600)
            listener.listen()
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except BaseException:
        listener.close()
        raise
    return listener
