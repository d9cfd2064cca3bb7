"""The files of clips in a bucket of an object store: S3's, Google's or Azure's, by one library.

A part is made on this machine, as for a folder, and put under its key when it is whole. An object
appears with all of its bytes or not at all. Every key begins with the prefix of this installation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError

from app.errors import StoreAway
from app.settings.store_place import StorePlace
from app.storage import clip_files, clip_folder, composed_upload, composition, multipart_upload
from app.storage.clip_store import KeptFile
from app.storage.composition import Composition, CopiedRange, CopySource
from app.storage.confined import PathRefused, in_folder, key_inside
from app.storage.hashing import sha256_of_blocks
from app.storage.multipart_upload import NotCopied
from app.storage.open_object import OpenObject, blocks_of, received
from app.storage.prefix_owner import INSTANCE, PROBE, PROBED, SMALL_BYTES, check_owner
from app.storage.publish_turns import PublishTurns
from app.storage.store_answers import explained

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from app.storage.bucket_clients import BucketClient
    from app.storage.s3_requests import S3Requests

PART_BYTES = 8 * 2**20
"""What is larger is put in parts of this size: of one size, as R2 wants them."""
MOST_PARTS = 10_000
PARTS_AT_ONCE = 3
PUT_AT_ONCE = 4
"""Files of one process: each has PARTS_AT_ONCE parts in memory, and after an outage many wait."""
ASKED_AT_ONCE = 16
_LISTED_AT_ONCE = 1000

log = structlog.get_logger()


class ClipBucket:
    """A ClipStore that is a prefix of a bucket. All methods raise StoreAway."""

    def __init__(
        self,
        store: BucketClient,
        place: StorePlace,
        parts_root: Path,
        instance: str,
        *,
        s3: S3Requests | None = None,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self.place = place
        self.parts_root = parts_root
        self._store = store
        self._instance = instance
        self._is_ours = False
        self.s3 = s3
        self._part_bytes = part_bytes
        self._turns = PublishTurns(PUT_AT_ONCE)

    @property
    def origin(self) -> str | None:
        return None if self.s3 is None else self.s3.origin

    async def probe(self) -> None:
        """Returns if all that clips need may be done there, and by us."""
        await self.claim()
        key = key_inside(self.place.prefix, PROBE)
        with self._answers("put"):
            await obstore.put_async(self._store, key, PROBED)
        await self._small(key)  # another process, which probes too, may have deleted it
        with self._answers("list"):
            async for _ in obstore.list(self._store, self.place.prefix, chunk_size=1):
                break  # one page is asked for, of any number
        with self._answers("delete"):
            await obstore.delete_async(self._store, key)

    async def probe_uploads(self) -> None:
        """Returns if uploads that were broken off can be found, and ended."""
        if self.s3 is not None:
            await self.s3.uploads(key_inside(self.place.prefix, PROBE))

    def composed(
        self, source: str, tag: str, ranges: Sequence[CopiedRange], size_bytes: int
    ) -> Composition | None:
        each_bytes = composed_upload.piece_bytes(size_bytes)
        pieces = composition.equal_pieces(ranges, size_bytes, each_bytes)
        made = Composition((CopySource(source, tag),), size_bytes, pieces)
        return made if self.s3 and made.copied else None

    async def publish(self, storage_path: str, part: Path) -> str | None:
        key = self._key(storage_path)
        put = self._compose if composition.is_list(part) else self._put
        async with self._turns.turn(part):
            try:
                await self.claim()
                return await put(storage_path, key, part)
            except FileNotFoundError:
                kept = await self._head(key)
                size_bytes = await asyncio.to_thread(composition.listed_bytes, part)
                if kept is None or size_bytes not in (None, kept["size"]):
                    raise
                return None  # somebody was killed after it was put

    async def _compose(self, storage_path: str, key: str, listing: Path) -> str | None:
        """Puts a file together of the part that a list is of. Its bytes are not all read."""
        asked = await asyncio.to_thread(composition.read, listing)
        part = composition.part_of(listing)
        try:
            await self._copy(storage_path, key, asked, part)
            sha256 = asked.sha256
        except (NotCopied, FileNotFoundError) as error:
            if asked.copied:
                log.warning("range_not_copied", key=key, error=str(error))
            await self.abort_uploads(storage_path)
            if asked.local:
                await asyncio.to_thread(composition.make_whole, listing)
            else:
                await composed_upload.fill(asked, part, self.open)
            sha256 = await self._put(storage_path, key, part)
        except Exception:
            await self.abort_uploads(storage_path)
            raise
        await asyncio.to_thread(composition.discard, part)
        return sha256

    async def _copy(self, storage_path: str, key: str, asked: Composition, part: Path) -> None:
        """Raises NotCopied, FileNotFoundError if something that it is made of is gone."""
        if self.s3 is None or not asked.copied:
            raise NotCopied(f"{self.place} is asked for nothing of the kind")
        await self.abort_uploads(storage_path)
        sources = [self._key(each.storage_path) for each in asked.sources]
        await composed_upload.put(self.s3, key, sources, asked, part, _headers(storage_path))
        await self._check_size(key, asked.size_bytes, NotCopied)  # no row names it yet

    async def _put(self, storage_path: str, key: str, part: Path) -> str | None:
        sha256, size_bytes = await asyncio.to_thread(_measured, part)
        in_parts = size_bytes > self._part_bytes
        if in_parts:
            await self.abort_uploads(storage_path)
        with self._answers("put"):
            await obstore.put_async(
                self._store,
                key,
                part,
                attributes={**_headers(storage_path), "sha256": sha256},
                use_multipart=in_parts,
                chunk_size=max(self._part_bytes, -(-size_bytes // MOST_PARTS)),
                max_concurrency=PARTS_AT_ONCE,
            )
        await self._check_size(key, size_bytes, StoreAway)
        await asyncio.to_thread(part.unlink, missing_ok=True)
        return sha256

    async def _check_size(self, key: str, size_bytes: int, wrong: type[Exception]) -> None:
        kept = await self._head(key)
        if kept is None or kept["size"] != size_bytes:
            there = "is not there" if kept is None else f"has {kept['size']} bytes"
            raise wrong(f"{self.place}: an object of {size_bytes} bytes {there} after its put")

    async def abort_uploads(self, storage_path: str) -> None:
        """Ends what attempts to put a file in parts have left. Its parts would cost on, unseen."""
        if self.s3 is not None:
            await multipart_upload.abort_all(self.s3, self._key(storage_path))

    def local_path(self, storage_path: str) -> None:
        self._key(storage_path)

    async def sizes(self, storage_paths: Collection[str]) -> dict[str, int | None]:
        turns = asyncio.Semaphore(ASKED_AT_ONCE)

        async def size(storage_path: str) -> int | None:
            try:
                key = self._key(storage_path)
            except PathRefused:
                return None
            async with turns:
                found = await self._head(key)
            return None if found is None else found["size"]

        paths = list(storage_paths)
        return dict(zip(paths, await asyncio.gather(*map(size, paths)), strict=True))

    async def open(self, storage_path: str) -> OpenObject:
        key = self._key(storage_path)
        if (found := await self._head(key)) is None:
            raise FileNotFoundError(f"{self.place}: there is no {storage_path}")
        tag = found["e_tag"]

        def read(start: int, end: int) -> AsyncIterator[bytes]:
            return blocks_of(self._store, self.place, key, tag, start, end)

        return OpenObject(found["size"], tag or "", found["last_modified"], read)

    async def sha256(self, storage_path: str) -> str:
        opened = await self.open(storage_path)
        return await sha256_of_blocks(opened.read(0, opened.size_bytes))

    async def listed(self, folder: str) -> AsyncIterator[Sequence[KeptFile]]:
        begin = len(self.place.prefix) + 1
        key = key_inside(self.place.prefix, folder)
        with self._answers("list"):
            async for found in obstore.list(self._store, key, chunk_size=_LISTED_AT_ONCE):
                yield [
                    KeptFile(each["path"][begin:], each["size"], each["last_modified"])
                    for each in found
                ]
        async for parts in clip_folder.listed(self.parts_root, folder):
            yield parts

    async def remove(self, storage_paths: Collection[str]) -> None:
        keys = [self._key(each) for each in storage_paths]
        if not keys:
            return
        await self.claim()
        with self._answers("delete"):
            try:
                await obstore.delete_async(self._store, keys if len(keys) > 1 else keys[0])
            except FileNotFoundError as error:
                self._check_bucket(error)

    async def url(self, storage_path: str, life: timedelta, disposition: str) -> str | None:
        if self.s3 is None:
            return None
        answer = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
        return await self.s3.url(self._key(storage_path), life, answer)

    def _key(self, storage_path: str) -> str:
        return key_inside(self.place.prefix, in_folder(storage_path))

    async def claim(self) -> None:
        """Returns once the prefix is known to be this installation's. Raises StoreRefuses."""
        if self._is_ours:
            return
        key = key_inside(self.place.prefix, INSTANCE)
        found = await self._small(key)
        if found is None:
            with self._answers("put"), suppress(AlreadyExistsError):  # another process's id holds
                content = f"{self._instance}\n".encode()
                await obstore.put_async(self._store, key, content, mode="create")
            found = await self._small(key)
        check_owner(self.place, found, self._instance)
        self._is_ours = True

    async def _small(self, key: str) -> bytes | None:
        """What a small object holds; None if there is none."""
        with self._answers("read"):
            try:
                found = await obstore.get_async(self._store, key)
                return await received(f"{self.place}: {key}", found, SMALL_BYTES)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None

    async def _head(self, key: str) -> ObjectMeta | None:
        with self._answers("read"):
            try:
                return await obstore.head_async(self._store, key)
            except FileNotFoundError as error:
                self._check_bucket(error)
                return None

    @contextmanager
    def _answers(self, doing: str) -> Iterator[None]:
        """Turns what the store refuses, or leaves unanswered, into StoreAway."""
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise explained(self.place, doing, str(error)) from None

    def _check_bucket(self, error: FileNotFoundError) -> None:
        """Raises StoreRefuses if it is the whole bucket that is not found."""
        if "NoSuchBucket" in str(error):
            raise explained(self.place, "read", str(error)) from None


def _headers(storage_path: str) -> dict[str, str]:
    """Of an object: what it is, and that no cache is to keep it for others."""
    return {"Content-Type": clip_files.media_type(storage_path), "Cache-Control": "private"}


def _measured(part: Path) -> tuple[str, int]:
    """The SHA-256 of a file, and its size in bytes. Raises FileNotFoundError."""
    return clip_files.sha256(part), part.stat().st_size
