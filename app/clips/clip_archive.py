"""Several clips as one zip, written while it is sent.

Nothing is compressed, which films are already: so its size is known before its first byte. No more
of it is in memory than the block that is on its way.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

from zipstream import ZipStream  # type: ignore[import-untyped]  # it has no types

from app.errors import Invalid
from app.models import FileRow
from app.storage.clip_store import OpenedClip

MOST_CLIPS = 50
MOST_BYTES = 20 * 2**30
"""About what so many clips of ten minutes have."""
NAME_BYTES = 255
"""Of a file's name, at most, on the disks that people have."""


class ClipArchive:
    """A zip of these files, to be read once. Raises Invalid if they are more than MOST_BYTES."""

    def __init__(self, files: Sequence[FileRow]) -> None:
        all_bytes = sum(file["size_bytes"] for file in files)
        if all_bytes > MOST_BYTES:
            raise Invalid(
                f"these clips have {all_bytes} bytes: at most {MOST_BYTES} go into one archive, so "
                "ask for fewer of them at a time"
            )
        self._zip = ZipStream(sized=True)
        self._members: list[tuple[FileRow, deque[bytes]]] = []
        for file, name in zip(files, member_names(each["filename"] for each in files), strict=True):
            blocks = deque[bytes]()
            self._zip.add(_taken(blocks), name, size=file["size_bytes"])
            self._members.append((file, blocks))

    @property
    def size_bytes(self) -> int:
        return len(self._zip)

    async def read(self, opened: Callable[[int], Awaitable[OpenedClip]]) -> AsyncIterator[bytes]:
        """All its bytes. `opened` gives the file of a place when its turn comes, or refuses it.

        Raises what that raises, EOFError if a file is not as large as its row said.
        """
        for place, (file, blocks) in enumerate(self._members):
            clip = await opened(place)
            try:
                if clip.size_bytes != file["size_bytes"]:
                    raise EOFError(
                        f"file {file['_id']} has {clip.size_bytes} bytes, not {file['size_bytes']}"
                    )
                written: Iterator[bytes] = self._zip.file()
                yield next(written)
                async for block in clip.read(0, clip.size_bytes):
                    blocks.append(block)
                    while blocks:
                        yield next(written)
                for block in written:
                    yield block
            finally:
                await clip.close()
        for block in self._zip.finalize():
            yield block


def member_names(filenames: Iterable[str]) -> list[str]:
    """A name for each file: its own, if need be cut, and with a number where two would be one.

    Two are where a disk that knows neither case nor forms of accents takes them for the same.
    """
    names: list[str] = []
    known: set[str] = set()
    for filename in filenames:
        stem, dot, suffix = filename.replace("/", "-").replace("\\", "-").rpartition(".")
        number, name = 1, ""
        while not name or _folded(name) in known:
            end = (f" ({number})" if number > 1 else "") + dot + suffix
            name = _cut(stem, NAME_BYTES - len(end.encode())) + end
            number += 1
        known.add(_folded(name))
        names.append(name)
    return names


def _taken(blocks: deque[bytes]) -> Iterator[bytes]:
    """The blocks, once each. The file ends where it finds none."""
    while blocks:
        yield blocks.popleft()


def _cut(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").rstrip()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
