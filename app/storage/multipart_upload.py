"""An object of S3 put together of parts: bytes of ours, and ranges of another one in its bucket.

A range is copied by the store, and none of it comes here. Nothing is to be seen under the key
before the upload is complete.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Self
from urllib.parse import quote
from xml.sax.saxutils import escape

import httpx
import structlog

from app.errors import StoreAway, StoreRefuses
from app.storage import s3_answers
from app.storage.s3_requests import S3Requests
from app.storage.store_answers import explained
from app.work.outside_answers import OutsideAnswer

TRIES = 3
BACKOFF_SECONDS = 0.5
"""Before the second try; before each further one twice as long. Then whoever asked decides."""
COMPLETE_SECONDS = 180.0
"""S3 says that it takes minutes where there are thousands of parts."""
ABORT_SECONDS = 60.0
"""For all uploads to a key that were broken off; the next attempt goes on with them."""
_PASSING = frozenset({408, 409, 425, 429})
"""What a store answers that would have it asked again."""
_MOST_CHARACTERS = 1024
"""Of a name that a store gives: an upload's, or a part's."""

log = structlog.get_logger()


class NotCopied(Exception):
    """The store copies no ranges of objects, or none of this one, or makes no object of them."""


class CopyNotValid(NotCopied):
    """The store says InvalidRequest: S3 does of a range of an object that is not over 5 MB."""


class MultipartUpload:
    """An upload to a key. All methods raise StoreAway."""

    def __init__(self, s3: S3Requests, asking: httpx.AsyncClient, key: str, name: str) -> None:
        self._s3 = s3
        self._asking = asking
        self._key = key
        self._name = name

    @classmethod
    async def begin(
        cls, s3: S3Requests, asking: httpx.AsyncClient, key: str, headers: Mapping[str, str]
    ) -> Self:
        """An upload of no parts yet. `headers`: those of the object."""
        answer = await s3.send(asking, "POST", key, {"uploads": ""}, doing="put", headers=headers)
        told = _told(s3, answer, "InitiateMultipartUploadResult")
        return cls(s3, asking, key, _name(s3, told.get("UploadId", "")))

    async def put(self, number: int, content: bytes) -> str:
        """Sends the bytes of a part, from 1 on: its tag."""
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        headers = {"Content-MD5": base64.b64encode(digest).decode()}

        async def send() -> str:
            answer = await self._send(number, headers, content)
            if not answer.is_success:
                raise _refused(self._s3, answer)
            return _name(self._s3, answer.headers.get("etag", ""))

        return await _tried(send)

    async def copy(self, number: int, source: str, tag: str, start: int, end: int) -> str:
        """Has bytes [start, end) of the object with the key `source` copied as a part: its tag.

        Raises FileNotFoundError if the object is gone or has not that tag any more, NotCopied.
        """
        headers = {
            "x-amz-copy-source": f"/{quote(self._s3.place.bucket)}/{quote(source)}",
            "x-amz-copy-source-range": f"bytes={start}-{end - 1}",
            **({"x-amz-copy-source-if-match": tag} if tag else {}),
        }

        async def send() -> str:
            answer = await self._send(number, headers, b"")
            self._check_copied(answer, source)
            return _name(self._s3, _told(self._s3, answer, "CopyPartResult").get("ETag", ""))

        return await _tried(send)

    async def complete(self, tags: Sequence[str]) -> None:
        """Makes the object of all parts, whose tags these are, in order. Raises NotCopied."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        answer = await self._s3.send(
            self._asking,
            "POST",
            self._key,
            {"uploadId": self._name},
            doing="put",
            content=f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode(),
            seconds=COMPLETE_SECONDS,
        )
        self._check_taken(answer)
        _told(self._s3, answer, "CompleteMultipartUploadResult")

    async def abort(self) -> None:
        """Ends it without an object."""
        await self._s3.abort(self._key, self._name)

    async def _send(self, number: int, headers: Mapping[str, str], content: bytes) -> OutsideAnswer:
        query = {"partNumber": str(number), "uploadId": self._name}
        return await self._s3.send(
            self._asking, "PUT", self._key, query, doing="put", headers=headers, content=content
        )

    def _check_copied(self, answer: OutsideAnswer, source: str) -> None:
        if answer.status in (404, 412) and not _is_aborted(answer):
            raise FileNotFoundError(f"{self._s3.place}: {source} is gone, or is another one since")
        if answer.is_success and not answer.beginning.strip():
            raise NotCopied(f"{self._s3.place}: the store takes a copy for a part without bytes")
        self._check_taken(answer)

    def _check_taken(self, answer: OutsideAnswer) -> None:
        """Raises NotCopied if the store would answer the same to the next attempt."""
        is_final = 400 <= answer.status < 500 and answer.status not in _PASSING
        if (is_final or answer.status == 501) and not _is_aborted(answer):
            is_known = answer.status == 400 and b"<Code>InvalidRequest</Code>" in answer.beginning
            raised = CopyNotValid if is_known else NotCopied
            raise raised(_refused(self._s3, answer).detail)


async def abort_all(s3: S3Requests, key: str) -> None:
    """Ends the uploads to a key that were broken off."""
    try:
        async with asyncio.timeout(ABORT_SECONDS):
            for upload_id in await s3.uploads(key):
                await s3.abort(key, upload_id)
                log.info("upload_aborted", key=key)
    except (StoreAway, TimeoutError) as error:
        # the bucket's own rule ends them: see deploy/README.md
        why = str(error) or f"not within {ABORT_SECONDS:g} s"
        log.warning("upload_not_aborted", key=key, error=why)


def _is_aborted(answer: OutsideAnswer) -> bool:
    """Whether somebody has aborted the upload."""
    return b"<Code>NoSuchUpload</Code>" in answer.beginning


def _told(s3: S3Requests, answer: OutsideAnswer, name: str) -> Mapping[str, str]:
    """The element of this name in an answer. Raises StoreAway: S3 tells errors with 200, too."""
    if answer.is_success:
        try:
            if found := s3_answers.records(answer.beginning.strip(), name):
                return found[0]
        except s3_answers.NotReadable as error:
            raise StoreAway(f"{s3.place}: the store answers what S3 does not: {error}") from None
    raise _refused(s3, answer)


def _refused(s3: S3Requests, answer: OutsideAnswer) -> StoreAway:
    said = answer.beginning.decode(errors="replace")
    return explained(s3.place, "put", f"status {answer.status} {said}")


def _name(s3: S3Requests, given: str) -> str:
    if not 0 < len(given) <= _MOST_CHARACTERS:
        raise StoreAway(f"{s3.place}: the store gives a name of {len(given)} characters")
    return given


async def _tried(send: Callable[[], Awaitable[str]]) -> str:
    """What it gives, asked again where the store is overloaded for a moment."""
    for wait in (BACKOFF_SECONDS * 2**number for number in range(TRIES - 1)):
        try:
            return await send()
        except StoreRefuses:
            raise
        except StoreAway:
            await asyncio.sleep(wait)
    return await send()
