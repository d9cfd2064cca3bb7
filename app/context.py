"""What every process of the service holds while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.settings import Settings
from app.storage.instance import instance_id
from app.store import Store
from app.work.queue import Queue


@dataclass(frozen=True)
class Context:
    """Settings, database and queue of a running process, and the id of the installation."""

    settings: Settings
    store: Store
    queue: Queue
    instance: str


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Context]:
    """Opens what a process needs, in the running event loop; closes it at the end."""
    instance = instance_id(settings.media_root)
    store = Store(settings.mongo_url)
    try:
        await store.prepare(settings.media_root)
        queue = await Queue.open(settings)
        try:
            yield Context(settings, store, queue, instance)
        finally:
            await queue.close()
    finally:
        await store.close()
