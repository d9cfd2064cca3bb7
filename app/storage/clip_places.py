"""The place that CLIPS_URL names, opened."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.errors import ConfigurationError, StoreAway, StoreRefuses
from app.settings import Settings
from app.settings.store_place import StorePlace
from app.storage.clip_folder import ClipFolder
from app.storage.clip_store import ClipStore
from app.storage.instance import instance_id

if TYPE_CHECKING:
    from app.storage.clip_bucket import ClipBucket

PATIENCE_SECONDS = 10.0
"""A start waits so long for a store to answer; then it goes on without, since shares are recorded
all the same."""

log = structlog.get_logger()


async def opened_clips(settings: Settings, instance: str) -> ClipStore:
    """Where clips are kept, if this installation may keep them there.

    Raises ConfigurationError if it may not. A store that is away is told of, and asked again when
    the first clip comes.
    """
    place = settings.clips_place
    if place is None:
        return ClipFolder(settings.media_root)
    if place.scheme == "file":
        return ClipFolder(await asyncio.to_thread(claimed_folder, place, instance))
    bucket = clip_bucket(settings, place, instance)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await bucket.probe()
    except StoreRefuses as error:
        raise ConfigurationError(f"CLIPS_URL: {error.detail}") from error
    except (StoreAway, TimeoutError) as error:
        log.warning("clip_store_away", error=str(error) or f"no answer in {PATIENCE_SECONDS:g} s")
    return bucket


def clip_bucket(settings: Settings, place: StorePlace, instance: str) -> ClipBucket:
    """The bucket of a place, unasked."""
    # Only who keeps clips in one waits for the libraries, and has them in memory.
    from app.storage import bucket_clients
    from app.storage.clip_bucket import ClipBucket

    client, s3 = bucket_clients.of(settings, place)
    return ClipBucket(client, place, settings.media_root, instance, s3=s3)


def claimed_folder(place: StorePlace, instance: str) -> Path:
    """The folder of a place, if it is this installation's. Blocks. Raises ConfigurationError."""
    root = Path(place.prefix)
    found = instance_id(root, setting="CLIPS_URL", fresh=instance)
    if found != instance:
        raise ConfigurationError(
            f"CLIPS_URL={str(place)!r} is of installation {found!r}, and this one is {instance!r}: "
            "name another folder, or the media root that these clips belong to"
        )
    return root
