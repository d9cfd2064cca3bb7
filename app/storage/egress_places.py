"""The place that BUFFER_URL names, opened."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from app.errors import ConfigurationError
from app.settings import Settings
from app.settings.store_place import StorePlace
from app.storage.egress_store import EgressStore, PlaceAway
from app.storage.shared_folder import SharedFolder

if TYPE_CHECKING:
    from app.storage.egress_bucket import EgressBucket

REQUEST = timedelta(seconds=15)
"""A segment of a few megabytes takes it at 2 Mbit/s."""
PATIENCE_SECONDS = 10.0
"""A start waits so long for a store to answer; then it goes on without: it may be back in time."""

log = structlog.get_logger()


async def opened_egress(settings: Settings, instance: str) -> EgressStore:
    """Where egress writes, if this installation may have it write there.

    Raises ConfigurationError if it may not. A store that is away is told of, and asked again.
    """
    place = settings.buffer_place
    if place is None:
        return SharedFolder(settings.media_root)
    from app.storage.egress_bucket import PlaceOfOthers

    bucket = egress_bucket(settings, place, instance)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.to_thread(bucket.claim)
    except PlaceOfOthers as error:
        raise ConfigurationError(f"BUFFER_URL: {error}") from error
    except (PlaceAway, TimeoutError) as error:
        log.warning("buffer_store_away", error=str(error) or f"no answer in {PATIENCE_SECONDS:g} s")
    return bucket


def egress_bucket(settings: Settings, place: StorePlace, instance: str) -> EgressBucket:
    """The bucket of a place, unasked."""
    # Only who has egress write in one waits for the libraries, and has them in memory.
    from app.storage import bucket_clients
    from app.storage.bucket_objects import BucketObjects
    from app.storage.egress_bucket import EgressBucket
    from app.storage.s3_requests import S3Requests

    client, s3 = bucket_clients.of(settings, place, request=REQUEST)
    objects = BucketObjects(client, s3 or S3Requests(settings, place), place)
    return EgressBucket(objects, settings.media_root, instance)
