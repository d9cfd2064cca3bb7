"""Where packs of fragments are kept, whether any more are made or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.storage.clip_store import ClipStore

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore

PACK_BYTES = 5 * 2**20
"""The least that a pack has, and a piece that is copied, unless it is the last: so S3 wants it."""


def pack_store(clips: ClipStore) -> PackStore | None:
    """Where packs are kept: with clips, if these are in a bucket of S3."""
    if clips.origin is None:
        return None
    # Only who has such a bucket waits for the libraries, and has them in memory.
    from app.storage.clip_bucket import ClipBucket
    from app.storage.pack_store import PackStore

    assert isinstance(clips, ClipBucket)
    assert clips.s3 is not None
    return PackStore(clips, clips.s3)
