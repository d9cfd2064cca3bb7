"""Where the files of clips are kept: what every place for them offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from app.storage.composition import Composition, CopiedRange


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it is listed."""

    storage_path: str
    size_bytes: int
    modified_at: datetime


class OpenedClip(Protocol):
    """A file that is sent as it was when it was opened."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def tag(self) -> str:
        """Which content it has, of a place that gives content one; empty otherwise."""

    @property
    def modified_at(self) -> datetime: ...
    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end). Raises EOFError if it can't be had to its end."""

    def until_answered(self) -> AbstractContextManager[None]:
        """Closes it if the block raises; otherwise the answer closes it."""

    async def close(self) -> None: ...


class ClipStore(Protocol):
    """A place for the files of clips. A file under its storage path is whole.

    A storage path is names of ours with `/` between them, the same whatever the place is. All but
    `sizes` raise PathRefused if it is none. A place that is not on this machine raises StoreAway.
    """

    @property
    def parts_root(self) -> Path:
        """Below it attempts write their parts, each in the folder of its storage path."""

    @property
    def origin(self) -> str | None:
        """Scheme and host of the URLs that it gives; None if it gives none."""

    def composed(
        self, source: str, tag: str, ranges: Sequence[CopiedRange], size_bytes: int
    ) -> Composition | None:
        """How a file is put together in the place, of a part and of ranges of another file there.

        `source`: that one's storage path; `ranges`: what of it the new file has, in order, of
        which the place may leave some to the part. None if it copies none.
        """

    async def publish(self, storage_path: str, part: Path) -> str | None:
        """Keeps a synced part durably under its storage path. Repeated, it changes nothing.

        `part` may be the list of one that is put together there. It is gone then. The SHA-256 of
        the file's bytes, 64 hex digits, if that is known by then.
        Raises FileNotFoundError if there is neither part nor file, or no source of it any more.
        """

    async def abort_uploads(self, storage_path: str) -> None:
        """Ends what attempts to publish a file have left that no list shows."""

    def local_path(self, storage_path: str) -> Path | None:
        """Where the file lies on this machine; None if it does not."""

    async def sizes(self, storage_paths: Collection[str]) -> dict[str, int | None]:
        """The size of each file, in bytes; None if it is not there, or can't be one of ours."""

    async def open(self, storage_path: str) -> OpenedClip:
        """Opens a file to be sent. Raises FileNotFoundError."""

    async def sha256(self, storage_path: str) -> str:
        """The hash of a file's bytes, 64 hex digits, in no hurry. Raises FileNotFoundError."""

    def listed(self, folder: str) -> AsyncIterator[Sequence[KeptFile]]:
        """All files in a folder and below, parts too, some at a time."""

    async def url(self, storage_path: str, life: timedelta, disposition: str) -> str | None:
        """A URL that reads a file for a while, without us; None if the place has none.

        `disposition`: what its answer says in Content-Disposition.
        """

    async def remove(self, storage_paths: Collection[str]) -> None:
        """Removes the files that are there."""
