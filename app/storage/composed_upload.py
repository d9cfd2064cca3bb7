"""A file put together in a bucket: what its part has is sent, all else is copied there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from app.storage import clip_files, s3_requests
from app.storage.clip_store import OpenedClip
from app.storage.composition import Composition, FilePiece
from app.storage.multipart_upload import CopyNotValid, MultipartUpload, NotCopied
from app.storage.s3_requests import S3Requests
from app.work import threads

PIECE_BYTES = 5 * 2**20
"""The least that S3 takes of a part that is not the last one; all are of one size, as R2 wants."""
MOST_PIECES = 10_000
COPIED_AT_ONCE = 4
"""Pieces of one file. What is sent is one piece of all files."""


def piece_bytes(size_bytes: int) -> int:
    """How large the pieces of a file are."""
    return max(PIECE_BYTES, -(-size_bytes // MOST_PIECES))


async def put(
    s3: S3Requests,
    key: str,
    source_keys: Sequence[str],
    composition: Composition,
    part: Path,
    headers: Mapping[str, str],
) -> None:
    """Puts a file together under its key. Failed or cancelled, it leaves an upload to be aborted.

    Raises FileNotFoundError if the part is gone, or a source is, or has changed; NotCopied,
    StoreAway.
    """
    copies = asyncio.Semaphore(COPIED_AT_ONCE)
    async with s3_requests.client() as asking:
        upload = await MultipartUpload.begin(s3, asking, key, headers)

        async def sent(number: int, piece: FilePiece) -> str:
            if (copied := piece.copied) is None:
                async with s3.sending:
                    return await upload.put(number, await asyncio.to_thread(_bytes, part, piece))
            source, tag = source_keys[copied.source], composition.sources[copied.source].tag
            end = copied.offset + copied.end - copied.start
            async with copies:
                return await upload.copy(number, source, tag, copied.offset, end)

        pieces = [
            asyncio.create_task(sent(number, piece))
            for number, piece in enumerate(composition.pieces, 1)
        ]
        try:
            tags = await asyncio.gather(*pieces)
        finally:
            # Before the client is closed, which they are using.
            for each in pieces:
                each.cancel()
            await asyncio.gather(*pieces, return_exceptions=True)
        await upload.complete(tags)


async def is_copied(s3: S3Requests, key: str, source_key: str) -> bool | None:
    """Whether the store copies ranges: tried with an upload that is aborted. Raises StoreAway.

    None: it can't be told by a source that is small.
    """
    async with s3_requests.client() as asking:
        upload = await MultipartUpload.begin(s3, asking, key, {})
        try:
            await upload.copy(1, source_key, "", 0, 1)
        except CopyNotValid:
            return None
        except (NotCopied, FileNotFoundError):
            return False
        finally:
            await upload.abort()
    return True


async def fill(
    composition: Composition, part: Path, open_file: Callable[[str], Awaitable[OpenedClip]]
) -> None:
    """Reads what is not in a part into it, durably, where the store does not copy.

    Raises FileNotFoundError if a source is gone or has changed, EOFError, StoreAway, StorageFull.
    """
    sources = [await open_file(each.storage_path) for each in composition.sources]
    for source, known in zip(sources, composition.sources, strict=True):
        if source.tag != known.tag:
            raise FileNotFoundError(f"{known.storage_path} is another one since")
    with clip_files.disk_errors(), part.open("r+b") as file:
        for start, end, offset, number in composition.copied:
            position = start
            async for block in sources[number].read(offset, offset + end - start):
                await threads.to_its_end(None, partial(os.pwrite, file.fileno(), block, position))
                position += len(block)
    await asyncio.to_thread(clip_files.sync, part)


def _bytes(part: Path, piece: FilePiece) -> bytes:
    with part.open("rb") as file:
        return os.pread(file.fileno(), piece.end - piece.start, piece.start)
