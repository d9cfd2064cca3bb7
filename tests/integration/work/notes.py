"""A worker with one job, which writes down what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from app.context import Context
from app.work.jobs import Errand, Jobs, job, seconds
from app.worker import _work

NOTE: Errand[str] = Errand("note")


@job(NOTE, timeout=seconds(10))
async def note(noted: list[str], word: str) -> None:
    """Writes down what it is told."""
    noted.append(word)


@asynccontextmanager
async def working(ctx: Context) -> AsyncIterator[list[str]]:
    """A worker; yields what its job has been told so far."""
    noted: list[str] = []
    work = asyncio.create_task(_work(ctx, Jobs(partial(note, noted))))
    try:
        yield noted
        assert not work.done()
    finally:
        work.cancel()
        await asyncio.wait({work})
