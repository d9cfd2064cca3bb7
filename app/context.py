"""What every process of the service holds while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.settings import Settings
from app.storage.clip_places import opened_clips
from app.storage.clip_store import ClipStore
from app.storage.egress_places import opened_egress
from app.storage.egress_store import EgressStore
from app.storage.instance import RootAbsent, has_id, id_at_head, instance_id, require
from app.storage.pack_places import pack_store
from app.store import Store
from app.work.patience import until_there
from app.work.queue import Queue
from app.work.share_rates import ShareRates
from app.work.troubles import Troubles

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore

_away = set[Path]()
"""Media roots that were not there when somebody looked last."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Context:
    """What a running process stands on: settings, database, queue, where clips are kept.

    `instance` is the id of the installation. `egress`: where egress writes. `shares`: how often
    they have begun of late.
    """

    settings: Settings
    store: Store
    queue: Queue
    instance: str
    clips: ClipStore
    egress: EgressStore
    shares: ShareRates

    @property
    def packs(self) -> PackStore | None:
        """Where packs of fragments are put; None where none are made.

        They are if egress writes in a bucket, too: S3_ENDPOINT and one key lead to both.
        """
        return None if self.egress.is_file_system else self.kept_packs

    @property
    def kept_packs(self) -> PackStore | None:
        """Where packs are that were made, whatever egress writes in now; None without a bucket."""
        return pack_store(self.clips)

    async def require_media_root(self) -> None:
        """Returns if the media root is there. Raises RootAbsent, an OSError, if its disk is not."""
        await asyncio.to_thread(require, self.settings.media_root, self.instance)

    async def has_media_root(self) -> bool:
        """Whether the media root is there, for who deletes: what is missing then is not gone.

        The log is told once that it is not.
        """
        root = self.settings.media_root
        try:
            await self.require_media_root()
        except RootAbsent as error:
            if root not in _away:
                _away.add(root)
                log.error("media_root_away", root=str(root), error=str(error))
            return False
        _away.discard(root)
        return True


async def known_instance(store: Store, root: Path) -> str | None:
    """The id that a media root must have, as far as the database tells.

    One of before it was noted there is told by its newest session, for a root that has no id.
    """
    known = await store.known_instance()
    if known is None and not await asyncio.to_thread(has_id, root):
        newest = await store.newest_session()
        known = None if newest is None else id_at_head(newest)
    return known


async def _instance(store: Store, root: Path) -> str:
    known = await known_instance(store, root)
    return await asyncio.to_thread(instance_id, root, known=known)


@asynccontextmanager
async def opened(settings: Settings, troubles: Troubles | None = None) -> AsyncIterator[Context]:
    """Opens what a process needs, in the running event loop; closes it at the end.

    Waits for stores and a disk that are away, of which `troubles` tell meanwhile. Raises
    ConfigurationError, PyMongoError for what waiting does not mend.
    """
    root = settings.media_root
    wait = partial(until_there, troubles=troubles or Troubles())
    store = Store(settings.mongo_url)
    try:
        await wait("MONGO_URL", store.known_instance)
        instance = await wait("FILE_UPLOAD_DEST", partial(_instance, store, root))
        clips = await wait("CLIPS_URL", partial(opened_clips, settings, instance))
        egress = await wait("BUFFER_URL", partial(opened_egress, settings, instance))
        await wait("MONGO_URL", partial(store.prepare, root))
        await wait("MONGO_URL", partial(store.note_instance, instance))
        queue = await wait("REDIS_URL", partial(Queue.connect, settings))
        try:
            rates = ShareRates(settings.shares_per_hour)
            yield Context(settings, store, queue, instance, clips, egress, rates)
        finally:
            await queue.close()
    finally:
        await store.close()
