"""Objects in a bucket of S3, asked for by threads: within bounds, and what goes wrong is PlaceAway.

What lies there is a stranger's. No more of an answer is taken than was asked for. All calls block.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar
from urllib.parse import unquote_plus

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError

from app.errors import StoreAway
from app.settings.store_place import StorePlace
from app.storage.confined import is_name
from app.storage.egress_store import PlaceAway, Stamp
from app.storage.foreign import FileTooLarge
from app.storage.store_answers import explained

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta

    from app.storage.bucket_clients import BucketClient
    from app.storage.s3_requests import S3Requests

BLOCK_BYTES = 2**20
"""What is in memory at once of an object that is fetched."""
LISTED_AT_ONCE = 200
LIST_BYTES = 2**20
"""Of a page that is listed: so many keys, each as long as a key may be, are less."""
_LOOKED_AT = 65_536
_PAGES = 100
"""That may have less on them than was asked for."""
_OF_THE_OBJECT = re.compile(r"<Code>(InvalidObjectState|InvalidRequest)</Code>")
"""The object was put so that nobody reads it as it is: in an archive, or with a key of its own."""

_Answer = TypeVar("_Answer")


class ListedName(NamedTuple):
    """A name that a prefix has in it: of an object, or of more that is below it.

    `modified`: seconds since 1970; None of a name that only others begin with.
    """

    name: str
    modified: float | None


class BucketObjects:
    """The objects of a place, by their keys."""

    def __init__(self, client: BucketClient, s3: S3Requests, place: StorePlace) -> None:
        self.place = place
        self._client = client
        self._s3 = s3

    def read(self, key: str, most_bytes: int) -> bytes:
        """The bytes of an object. Raises FileNotFoundError, FileTooLarge."""
        _, take = self._get(key, {})
        return b"".join(take(most_bytes))

    def look(self, key: str, known_tag: str) -> tuple[Stamp, Callable[[int], bytes]] | None:
        """The stamp of an object, and what gives its bytes; None if its tag is the known one.

        Raises FileNotFoundError; what gives its bytes raises FileTooLarge.
        """
        options: GetOptions = {"if_none_match": known_tag} if known_tag else {}
        try:
            meta, take = self._get(key, options)
        except NotModifiedError:
            return None
        return stamp_of(meta), lambda most_bytes: b"".join(take(most_bytes))

    def fetch(self, key: str, most_bytes: int, into: BinaryIO) -> None:
        """Writes the bytes of an object into a file. Raises FileNotFoundError, FileTooLarge."""
        _, take = self._get(key, {})
        for block in take(most_bytes):
            try:
                into.write(block)
            except OSError as error:
                raise PlaceAway(f"no room for {key} on this machine: {error.strerror}") from error

    def stamp(self, key: str) -> Stamp:
        """The stamp of an object. Raises FileNotFoundError."""
        with self._answers("read"):
            return stamp_of(obstore.head(self._client, key))

    def put(self, key: str, content: bytes) -> None:
        """Puts a small object, whatever had its key."""
        with self._answers("put"):
            obstore.put(self._client, key, content, use_multipart=False)

    def put_first(self, key: str, content: bytes) -> None:
        """Puts a small object, if none has its key."""
        with self._answers("put"), suppress(AlreadyExistsError):
            obstore.put(self._client, key, content, mode="create", use_multipart=False)

    def delete(self, keys: Sequence[str]) -> None:
        """Removes the objects that are there, of any keys."""
        plain = [each for each in keys if all(map(is_name, each.split("/")))]
        with suppress(FileNotFoundError), self._answers("delete"):
            if plain:
                obstore.delete(self._client, plain if len(plain) > 1 else plain[0])
        for key in set(keys) - set(plain):  # the library would take them for others
            self._ask(self._s3.delete(key))

    def names(self, prefix: str, most: int) -> list[ListedName]:
        """What is right below a prefix, which ends with a slash; at most so many."""
        return self._listed({"prefix": prefix, "delimiter": "/"}, len(prefix), most)

    def all_below(self, prefix: str, most: int) -> list[ListedName]:
        """All objects below it, however deep, by what follows the prefix; at most so many."""
        return self._listed({"prefix": prefix}, len(prefix), most)

    def _listed(self, query: Mapping[str, str], begin: int, most: int) -> list[ListedName]:
        found: list[ListedName] = []
        asked = {"encoding-type": "url", "max-keys": str(min(most, LISTED_AT_ONCE)), **query}
        for _ in range(_PAGES + most // LISTED_AT_ONCE):  # a store may tell of more for ever
            page = self._ask(self._s3.page(asked, LIST_BYTES))
            found += [
                ListedName(unquote_plus(told.get("Key", ""))[begin:], _instant(told))
                for told in page.objects
            ]
            found += [
                ListedName(unquote_plus(prefix)[begin:].rstrip("/"), None)
                for prefix in page.folders
            ]
            if len(found) >= most or not page.next_token:
                break
            asked["continuation-token"] = page.next_token
        return [each for each in found if each.name][:most]

    def _get(
        self, key: str, options: GetOptions
    ) -> tuple[ObjectMeta, Callable[[int], Iterator[bytes]]]:
        with self._answers("read"):
            found = obstore.get(self._client, key, options=options)
        return found.meta, lambda most_bytes: self._blocks(key, found, most_bytes)

    def _blocks(self, key: str, found: GetResult, most_bytes: int) -> Iterator[bytes]:
        name = f"{self.place}: {key}"
        if (size_bytes := found.meta["size"]) > most_bytes:
            raise FileTooLarge(f"{name} has {size_bytes} bytes; at most {most_bytes} are read")
        taken = 0
        with self._answers("read"):
            for block in found.stream(min_chunk_size=min(BLOCK_BYTES, most_bytes + 1)):
                taken += len(block)
                if taken > most_bytes:
                    raise FileTooLarge(f"{name} has more bytes than the {most_bytes} that are read")
                yield bytes(block)
        if taken != size_bytes:
            raise PlaceAway(f"{name}: {taken} bytes came of {size_bytes}")

    @contextmanager
    def _answers(self, doing: str) -> Iterator[None]:
        """Turns what the store refuses, or leaves unanswered, into PlaceAway."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise PlaceAway(explained(self.place, doing, str(error)).detail) from None
            raise
        except (NotModifiedError, AlreadyExistsError):
            raise
        except BaseError as error:
            if found := _OF_THE_OBJECT.search(str(error)[:_LOOKED_AT]):
                raise PermissionError(f"{self.place}: {found[1]}") from None
            raise PlaceAway(explained(self.place, doing, str(error)).detail) from None

    def _ask(self, asked: Coroutine[Any, Any, _Answer]) -> _Answer:
        """What S3 answers, in a loop of this thread's own."""
        try:
            return asyncio.run(asked)
        except StoreAway as error:
            raise PlaceAway(error.detail) from error


def stamp_of(meta: ObjectMeta) -> Stamp:
    """What a store tells of an object, as a stamp."""
    modified_ns = int(meta["last_modified"].timestamp() * 1e9)
    return Stamp(modified_ns, meta["size"], meta["e_tag"] or "")


def _instant(told: Mapping[str, str]) -> float:
    """When an object was written; of what is no time, now: nothing is old that may be new."""
    try:
        return datetime.fromisoformat(told.get("LastModified", "")).timestamp()
    except ValueError:
        return datetime.now(UTC).timestamp()
