"""Where the files of clips are kept: what every place for them offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it is listed."""

    storage_path: str
    size_bytes: int
    modified_at: datetime


class OpenedClip(Protocol):
    """A file that is sent whole, whatever becomes of it meanwhile."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def modified_at(self) -> datetime: ...
    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end). Raises EOFError if it has been cut short."""

    def until_answered(self) -> AbstractContextManager[None]:
        """Closes it if the block raises; else whoever answers with it does."""

    async def close(self) -> None: ...


class ClipStore(Protocol):
    """A place for the files of clips. A file under its storage path is whole.

    A storage path is names of ours with `/` between them, the same whatever the place is. All but
    `sizes` raise PathRefused if it is none.
    """

    @property
    def parts_root(self) -> Path:
        """Below it attempts write their parts, each in the folder of its storage path."""

    async def publish(self, storage_path: str, part: Path) -> None:
        """Keeps a synced part durably under its storage path. Repeated, it changes nothing.

        The part is gone then. Raises FileNotFoundError if there is neither part nor file.
        """

    def local_path(self, storage_path: str) -> Path:
        """Where the file lies on this machine."""

    async def sizes(self, storage_paths: Collection[str]) -> dict[str, int | None]:
        """The size of each file, in bytes; None if it is not there, or can't be one of ours."""

    async def open(self, storage_path: str) -> OpenedClip:
        """Opens a file to be sent. Raises FileNotFoundError."""

    async def sha256(self, storage_path: str) -> str:
        """The hash of a file's bytes, 64 hex digits, in no hurry. Raises FileNotFoundError."""

    def listed(self, folder: str) -> AsyncIterator[Sequence[KeptFile]]:
        """All files in a folder and below, parts too, some at a time."""

    async def remove(self, storage_paths: Collection[str]) -> None:
        """Removes the files that are there."""
