"""Processes of the service tell each other in Redis that they run."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app.context import Context
from app.models import ProcessRole
from app.work.leases import Leases

LIFE_SECONDS = 20.0

log = structlog.get_logger()


@asynccontextmanager
async def alive(ctx: Context, role: ProcessRole) -> AsyncIterator[None]:
    """Tells in Redis, for as long as it is held, that a process of this role runs."""

    def missed(error: Exception) -> None:
        log.debug("pulse_missed", role=role, error=repr(error))

    # Containers that share the host's network have its name, and the same ids of processes.
    process = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with _pulses(ctx, role).renewed(process, missed):
        yield


async def is_alive(ctx: Context, role: ProcessRole) -> bool:
    """Whether a process of this role has said so of late."""
    return await _pulses(ctx, role).held() > 0


def _pulses(ctx: Context, role: ProcessRole) -> Leases:
    return ctx.queue.leases(f"alive:{role}", LIFE_SECONDS)
