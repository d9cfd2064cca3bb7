"""Packs in the bucket of clips: media of fragments, so large that a store copies ranges of it.

A clip is put together there of ranges of packs, and of what they lack, which is sent. A pack is put
with one request: it is there whole, or not at all.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from app.errors import StoreAway
from app.storage import composed_upload, composition, s3_requests
from app.storage.composition import Composition, CopiedRange, CopySource
from app.storage.confined import is_name, key_inside
from app.storage.store_answers import explained

if TYPE_CHECKING:
    from app.storage.clip_bucket import ClipBucket
    from app.storage.s3_requests import S3Requests

LISTED_AT_ONCE = 200
LIST_BYTES = 2**20
"""Of a page: so many keys, each as long as a key may be, are less."""
_PAGES = 100
_TAG_CHARACTERS = 1024


class PackStore:
    """Where packs are kept. All methods but `composed` raise StoreAway."""

    def __init__(self, clips: ClipBucket, s3: S3Requests) -> None:
        self._clips = clips
        self._s3 = s3

    async def put(self, storage_path: str, content: bytes) -> str:
        """Puts a pack: its tag."""
        await self._clips.claim()
        key = key_inside(self._clips.place.prefix, storage_path)
        headers = {"Content-MD5": await asyncio.to_thread(_md5, content)}
        async with s3_requests.client() as asking, self._s3.sending:
            answer = await self._s3.send(
                asking, "PUT", key, {}, doing="put", headers=headers, content=content
            )
        if not answer.is_success:
            said = answer.beginning.decode(errors="replace")
            raise explained(self._s3.place, "put", f"status {answer.status} {said}")
        tag: str = answer.headers.get("etag", "")
        if not 0 < len(tag) <= _TAG_CHARACTERS:
            raise StoreAway(f"{self._s3.place}: the store gives a tag of {len(tag)} characters")
        return tag

    async def remove(self, storage_paths: Collection[str]) -> None:
        """Removes the packs that are there."""
        await self._clips.remove(storage_paths)

    async def listed(self, folder: str) -> list[str]:
        """The storage paths of the packs in a folder and below, of some ten thousand at most."""
        begin = len(self._clips.place.prefix) + 1
        prefix = f"{key_inside(self._clips.place.prefix, folder)}/"
        asked = {"encoding-type": "url", "max-keys": str(LISTED_AT_ONCE), "prefix": prefix}
        found: list[str] = []
        for _ in range(_PAGES):  # a store may tell of more for ever
            page = await self._s3.page(asked, LIST_BYTES)
            found += [unquote_plus(told.get("Key", ""))[begin:] for told in page.objects]
            if not page.next_token:
                break
            asked["continuation-token"] = page.next_token
        return [each for each in found if all(map(is_name, each.split("/")))]

    def composed(
        self,
        packs: Sequence[CopySource],
        ranges: Sequence[CopiedRange],
        size_bytes: int,
    ) -> Composition | None:
        """How a file is put together of ranges of packs, which are in order; None if of none."""
        pieces = composition.large_pieces(ranges, size_bytes, composed_upload.PIECE_BYTES)
        made = Composition.of(packs, size_bytes, pieces)
        return made if made.copied and len(pieces) <= composed_upload.MOST_PIECES else None


def _md5(content: bytes) -> str:
    """As the header Content-MD5 tells it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
