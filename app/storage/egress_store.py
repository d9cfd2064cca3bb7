"""Where egress writes: what every place for it offers.

A place has folders in it as a disk has: of rooms, users and sessions. What lies there is a
stranger's, who may write and remove while we look. All calls block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from app.models.instants import EPOCH

Content = Callable[[], bytes]
_FAR_NS = 2**63


class PlaceAway(OSError):
    """The place does not answer as it should, or lets nobody in: ask again, conclude nothing."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which content a file had: another one once it has changed.

    `mtime_ns`: when it was written, as its place says. `tag`: of a place that gives content one.
    """

    mtime_ns: int = 0
    size_bytes: int = -1
    tag: str = ""

    @property
    def modified(self) -> float:
        """When the file was written, in seconds since 1970, as its place says."""
        return self.mtime_ns / 1e9

    def written_at(self, now: datetime) -> datetime:
        """When the file was written: not later than now, whatever time somebody gave it."""
        written = timedelta(microseconds=min(max(0, self.mtime_ns), _FAR_NS) // 1000)
        return min(EPOCH + written, now)


NEVER = Stamp()
"""That of a file which is not there, or can't be looked at."""


class EgressFolder(Protocol):
    """A folder in which egress writes, or one around it. A name that is none raises PathRefused.

    All of it raises OSError: FileNotFoundError for what is not there, NotRegular for what is no
    file, FileTooLarge for one that has more bytes than are asked for, PlaceAway.
    """

    @property
    def parts(self) -> tuple[str, ...]:
        """Its name, after those of the folders that it is in."""

    @property
    def name(self) -> str: ...
    @property
    def outer(self) -> EgressFolder:
        """The folder that this one is in."""

    def read(self, name: str, most_bytes: int) -> bytes:
        """The bytes of a file."""

    def look_at(self, name: str, most_bytes: int) -> tuple[Stamp, Content]:
        """The stamp of a file, and what gives its bytes: as new as that, or newer.

        The stamp is NEVER where there is none. Then `Content` raises why.
        """

    def open_file(self, name: str, most_bytes: int) -> AbstractContextManager[int]:
        """A file, open for reading: its descriptor, and `read_open` of `foreign` reads it."""

    def stamp(self, name: str) -> Stamp:
        """The stamp of a file. Raises FileNotFoundError."""

    def older(self, names: Iterable[str], before: float) -> list[str]:
        """Those of its names that were last written before then, in seconds since 1970."""

    def names(self, most: int = ...) -> list[str]:
        """The names in it, at most so many, in no order. They may be of any characters."""

    def folders(self, most: int = ...) -> Sequence[EgressFolder]:
        """The folders in it whose names may be ours, of at most so many entries."""

    def make(self, mode: int, outer_mode: int) -> list[str]:
        """Makes it, so that egress can write there, where a folder has to be made.

        Returns the paths of what was in its way, which is aside now.
        """

    def rename(self, name: str, to: str) -> str:
        """Gives a file another name within the folder, where that costs nothing. Its name then."""

    def unlink(self, name: str) -> None:
        """Removes a file. One that is not there raises FileNotFoundError, or nothing."""

    def remove(self, name: str) -> None:
        """Removes a file, or whatever it is, as a folder lists it: of any characters."""

    def remove_whole(self) -> None:
        """Removes the folder with all that is in it. Raises FolderTooLarge if that is too much."""

    def remove_empty(self) -> None:
        """Removes the folder, where there is one without files. Raises OSError if it has some."""


class EgressStore(Protocol):
    """A place where egress writes, beside the media root, which is ours."""

    @property
    def media_root(self) -> Path: ...
    @property
    def is_file_system(self) -> bool:
        """Whether it tells of changes, by events or a cheap look, and keeps empty folders."""

    def folder(self, *parts: str) -> EgressFolder:
        """The folder of this name, in those before it, of the place."""
