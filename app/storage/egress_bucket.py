"""A bucket in which egress writes: an EgressStore that is a prefix of S3.

Folders are what keys have in common up to a slash: none is made, and none stays when it is empty.
Nothing is asked for but keys below our prefix. All calls block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from app.errors import StoreRefuses
from app.storage.bucket_objects import BucketObjects, ListedName
from app.storage.confined import PathRefused, checked, is_name, key_inside
from app.storage.egress_store import NEVER, Content, PlaceAway, Stamp
from app.storage.foreign import ENTRIES
from app.storage.foreign_removal import REMOVED_AT_ONCE, FolderTooLarge
from app.storage.prefix_owner import INSTANCE, PROBE, PROBED, SMALL_BYTES, check_owner

KEPT_BYTES = 64 * 2**10
"""Of a playlist that is kept until it changes; a larger one is read anew each time."""


class EgressBucket:
    """A place in a bucket, of one installation: what is in it is changed only once that is known.

    All methods raise PlaceAway.
    """

    is_file_system = False

    def __init__(self, objects: BucketObjects, media_root: Path, instance: str) -> None:
        self.objects = objects
        self.media_root = media_root
        self._instance = instance
        self._is_ours = False

    def __str__(self) -> str:
        return str(self.objects.place)

    def folder(self, *parts: str) -> BucketFolder:
        return BucketFolder(self, parts)

    def key(self, *parts: str) -> str:
        """The key of these names below the prefix. Raises PathRefused."""
        return key_inside(self.objects.place.prefix, "/".join(parts))

    def claim(self) -> None:
        """Returns once the prefix is known to be this installation's."""
        if self._is_ours:
            return
        key = self.key(INSTANCE)
        if (told := self._small(key)) is None:
            self.objects.put_first(key, f"{self._instance}\n".encode())
            told = self._small(key)
        try:
            check_owner(self.objects.place, told, self._instance)
        except StoreRefuses as error:
            raise PlaceOfOthers(error.detail) from error
        self._is_ours = True

    def probe(self) -> None:
        """Returns if all that the buffer needs may be done there, and by us."""
        self.claim()
        key = self.key(PROBE)
        self.objects.put(key, PROBED)
        self._small(key)  # another process, which probes too, may have deleted it
        self.objects.names(f"{self.objects.place.prefix}/", 1)
        self.objects.delete([key])

    def _small(self, key: str) -> bytes | None:
        try:
            return self.objects.read(key, SMALL_BYTES)
        except FileNotFoundError:
            return None


class PlaceOfOthers(PlaceAway):
    """The place is another installation's: somebody has to name another one."""


@dataclass(frozen=True, slots=True)
class BucketFolder:
    """An EgressFolder of a bucket: the prefix, and these names."""

    bucket: EgressBucket
    parts: tuple[str, ...]
    _kept: dict[str, tuple[Stamp, bytes]] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        return "/".join((str(self.bucket), *self.parts))

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def outer(self) -> BucketFolder:
        return BucketFolder(self.bucket, self.parts[:-1])

    def read(self, name: str, most_bytes: int) -> bytes:
        return self.bucket.objects.read(self._key(name), most_bytes)

    def look_at(self, name: str, most_bytes: int) -> tuple[Stamp, Content]:
        """As EgressFolder says; of what has not changed since, nothing is read."""
        stamp, content = self._kept.get(name, (NEVER, b""))
        try:
            found = self.bucket.objects.look(self._key(name), stamp.tag)
        except FileNotFoundError as error:
            return NEVER, _raising(error)
        if found is None:
            return stamp, lambda: content
        self._kept.pop(name, None)
        stamp, take = found

        def read() -> bytes:
            data = take(most_bytes)
            if stamp.tag and len(data) <= KEPT_BYTES:
                self._kept[name] = stamp, data
            return data

        return stamp, read

    @contextmanager
    def open_file(self, name: str, most_bytes: int) -> Iterator[int]:
        """A copy of the object in a file without a name, on the disk of our media."""
        key = self._key(name)
        with _nameless_file(self.bucket.media_root) as file:
            self.bucket.objects.fetch(key, most_bytes, file)
            yield file.fileno()

    def stamp(self, name: str) -> Stamp:
        return self.bucket.objects.stamp(self._key(name))

    def older(self, names: Iterable[str], before: float) -> list[str]:
        wanted = set(names)
        listed = self._listed(ENTRIES) if wanted else []
        return [each.name for each in listed if each.name in wanted and self._is_old(each, before)]

    def names(self, most: int = ENTRIES) -> list[str]:
        return list(dict.fromkeys(each.name for each in self._listed(most)))

    def folders(self, most: int = ENTRIES) -> list[BucketFolder]:
        return [
            BucketFolder(self.bucket, (*self.parts, each.name))
            for each in self._listed(most)
            if each.modified is None and is_name(each.name)
        ]

    def make(self, mode: int, outer_mode: int) -> list[str]:
        """Nothing is to be made; but egress is sent nowhere that is another installation's."""
        self.bucket.claim()
        return []

    def rename(self, name: str, to: str) -> str:
        """It keeps its name: another one would cost a copy. Raises FileNotFoundError."""
        checked(to)
        self.stamp(name)
        return name

    def unlink(self, name: str) -> None:
        self.bucket.claim()
        self.bucket.objects.delete([self._key(name)])

    def remove(self, name: str) -> None:
        """Removes an object, and all whose keys go on after its name, at most so many at once."""
        if "/" in name or name in ("", ".", ".."):
            raise PathRefused(f"{name!r:.100} names nothing within a folder")
        self.bucket.claim()
        key = f"{self._prefix}{name}"
        self.bucket.objects.delete([key])
        self._remove_below(f"{key}/")

    def remove_whole(self) -> None:
        self.bucket.claim()
        self._remove_below(self._prefix)

    def remove_empty(self) -> None:
        """There is none without objects in it."""

    @property
    def _prefix(self) -> str:
        return f"{self.bucket.key(*self.parts)}/"

    def _key(self, name: str) -> str:
        return self.bucket.key(*self.parts, checked(name))

    def _listed(self, most: int) -> list[ListedName]:
        return self.bucket.objects.names(self._prefix, most)

    def _is_old(self, listed: ListedName, before: float) -> bool:
        if listed.modified is not None:
            return listed.modified < before
        # Of some stores a folder is listed for a while when its last object is gone.
        inner = self.bucket.objects.all_below(f"{self._prefix}{listed.name}/", 1)
        return bool(inner) and (inner[0].modified or 0) < before

    def _remove_below(self, prefix: str) -> None:
        found = self.bucket.objects.all_below(prefix, REMOVED_AT_ONCE)
        self.bucket.objects.delete([f"{prefix}{each.name}" for each in found])
        if len(found) == REMOVED_AT_ONCE:
            raise FolderTooLarge(f"{prefix!r:.100} has {REMOVED_AT_ONCE} objects or more")


def _nameless_file(folder: Path) -> BinaryIO:
    try:
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError as error:
        raise PlaceAway(f"no file can be made in {folder}: {error.strerror}") from error


def _raising(error: OSError) -> Content:
    def read() -> NoReturn:
        raise error

    return read
