"""The files of clips in a folder of this machine, or one that it has mounted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from app.storage import clip_files, composition
from app.storage.clip_store import KeptFile
from app.storage.composition import CopiedRange
from app.storage.confined import member
from app.storage.hashing import sha256_of_file
from app.storage.open_file import OpenFile, open_file

LISTED_AT_ONCE = 500

log = structlog.get_logger()


class ClipFolder:
    """A ClipStore that is a folder: a part gets its final name where it lies."""

    origin = None

    def __init__(self, root: Path) -> None:
        self.parts_root = root

    def composed(
        self, source: str, tag: str, ranges: Sequence[CopiedRange], size_bytes: int
    ) -> None:
        """Its files are on this machine, and parts are made of them where they lie."""

    async def publish(self, storage_path: str, part: Path) -> None:
        """Nothing is read for it, so no hash is known."""
        if composition.is_list(part):
            raise FileNotFoundError(f"{part.name} is of a bucket, in which clips were kept")
        await asyncio.to_thread(clip_files.publish, self.parts_root, storage_path, part)

    async def abort_uploads(self, storage_path: str) -> None:
        """There are none."""

    def local_path(self, storage_path: str) -> Path:
        return clip_files.locate(self.parts_root, storage_path)

    async def sizes(self, storage_paths: Collection[str]) -> dict[str, int | None]:
        return await asyncio.to_thread(
            lambda: {each: _size_bytes(self.parts_root, each) for each in storage_paths}
        )

    async def open(self, storage_path: str) -> OpenFile:
        return await open_file(self.local_path(storage_path))

    async def sha256(self, storage_path: str) -> str:
        return await sha256_of_file(self.local_path(storage_path))

    def listed(self, folder: str) -> AsyncIterator[Sequence[KeptFile]]:
        return listed(self.parts_root, folder)

    async def url(self, storage_path: str, life: timedelta, disposition: str) -> None:
        """It has none."""

    async def remove(self, storage_paths: Collection[str]) -> None:
        def remove() -> None:
            for each in storage_paths:
                clip_files.remove(self.parts_root, each)

        await asyncio.to_thread(remove)


async def listed(root: Path, folder: str) -> AsyncIterator[Sequence[KeptFile]]:
    """All files in a folder of a root and below, some at a time."""
    found = _listed(root, member(root, folder))
    while batch := await asyncio.to_thread(next, found, None):
        yield batch


def _size_bytes(root: Path, storage_path: str) -> int | None:
    try:
        return clip_files.size_bytes(root, storage_path)
    except OSError as error:  # of one file, which is in nobody's way
        log.warning("clip_file_unreadable", path=storage_path, error=str(error))
        return None


def _listed(root: Path, folder: Path) -> Iterator[list[KeptFile]]:
    batch: list[KeptFile] = []
    with suppress(FileNotFoundError):  # nothing was kept there yet
        for outer, _, names, opened in os.fwalk(folder):
            inner = Path(outer).relative_to(root)
            for name in names:
                with suppress(FileNotFoundError):  # gone since it was listed
                    facts = os.stat(name, dir_fd=opened)
                    modified_at = datetime.fromtimestamp(facts.st_mtime, UTC)
                    batch.append(KeptFile(f"{inner}/{name}", facts.st_size, modified_at))
                if len(batch) >= LISTED_AT_ONCE:
                    yield batch
                    batch = []
    if batch:
        yield batch
