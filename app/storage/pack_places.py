"""Where packs of fragments are kept, if they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.storage.clip_store import ClipStore
from app.storage.egress_store import EgressStore

if TYPE_CHECKING:
    from app.storage.pack_store import PackStore

PACK_BYTES = 5 * 2**20
"""The least that a pack has, and a piece that is copied, unless it is the last: so S3 wants it."""


def pack_store(clips: ClipStore, egress: EgressStore) -> PackStore | None:
    """Where packs are kept: with clips in a bucket, if egress writes in one of the same store.

    S3_ENDPOINT and one key lead to both.
    """
    if egress.is_file_system or clips.origin is None:
        return None
    # Only who keeps packs waits for the libraries, and has them in memory.
    from app.storage.clip_bucket import ClipBucket
    from app.storage.pack_store import PackStore

    assert isinstance(clips, ClipBucket)
    assert clips.s3 is not None
    return PackStore(clips, clips.s3)
