"""What of S3 no library for all kinds of stores has: answers' headers in signed URLs, uploads.

Credentials are found, and requests signed, by AWS's own runtime: settings first, then whatever
AWS's tools would take.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit

import httpx
from awscrt.auth import (
    AwsCredentials,
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyValue,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.exceptions import AwsCrtError
from awscrt.http import HttpHeaders, HttpRequest

from app.errors import StoreAway
from app.settings import Settings
from app.settings.store_place import StorePlace
from app.storage import s3_answers
from app.storage.store_answers import explained
from app.work import outside_answers
from app.work.outside_answers import OutsideAnswer

if TYPE_CHECKING:
    from obstore.store import S3Credential

CREDENTIALS_SECONDS = 20.0
"""More than an instance's metadata service takes."""
CACHED = timedelta(minutes=15)
"""How long credentials that don't expire are taken for current: a file may be changed."""
REQUEST_SECONDS = 20.0
SLOWEST_SENT = 125_000
"""Bytes a second of ours that a store is given to take, at least: 1 Mbit/s."""
MOST_UPLOADS = 100
"""Of one key that are told at once: each is an attempt that was broken off."""
ANSWER_BYTES = 256 * 1024
"""As many as so many uploads take, whose keys are as long as keys may be: read within 50 ms."""
_ID_CHARACTERS = 1024
_PLAIN = {"Accept-Encoding": "identity"}
"""Nothing is unpacked: a few bytes may be very many."""
_NONE: Mapping[str, str] = MappingProxyType({})


def s3_endpoint(settings: Settings, bucket: str) -> str:
    """The URL of a bucket: a host of its own on AWS, unless no certificate covers its name."""
    if settings.s3_endpoint:
        return f"{settings.s3_endpoint}/{bucket}"
    host = f"s3.{settings.s3_region}.amazonaws.com"
    return f"https://{host}/{bucket}" if "." in bucket else f"https://{bucket}.{host}"


class ListedPage(NamedTuple):
    """What a bucket lists: objects by the names of S3, prefixes that others have in common."""

    objects: list[dict[str, str]]
    folders: list[str]
    next_token: str


class S3Requests:
    """Signs for one bucket, and asks it what only S3 is asked."""

    def __init__(self, settings: Settings, place: StorePlace) -> None:
        self.place = place
        self._base = s3_endpoint(settings, place.bucket)
        self._region = settings.s3_region
        self.sending = asyncio.Semaphore(1)
        """Held while a piece of a file is sent, so that a slow line is not shared by several."""
        secret = settings.aws_secret_access_key.get_secret_value()
        token = settings.aws_session_token.get_secret_value()
        self._provider = (
            AwsCredentialsProvider.new_static(settings.aws_access_key_id, secret, token or None)
            if settings.aws_access_key_id
            else AwsCredentialsProvider.new_default_chain()
        )

    @property
    def origin(self) -> str:
        """Scheme and host of its URLs."""
        return "{0.scheme}://{0.netloc}".format(urlsplit(self._base))

    def credentials(self) -> S3Credential:
        """For obstore, which asks from a thread of its own. Raises AwsCrtError, TimeoutError."""
        found: AwsCredentials = self._provider.get_credentials().result(CREDENTIALS_SECONDS)
        return {
            "access_key_id": found.access_key_id,
            "secret_access_key": found.secret_access_key,
            "token": found.session_token,
            "expires_at": found.expiration or datetime.now(UTC) + CACHED,
        }

    async def url(self, key: str, life: timedelta, answer: Mapping[str, str]) -> str:
        """A URL that reads an object for a while. `answer`: headers that its answer has.

        Raises StoreAway, as all of these do, also without credentials.
        """
        query = {f"response-{name.lower()}": value for name, value in answer.items()}
        return await self.signed("GET", key, query, life)

    async def uploads(self, key: str) -> list[str]:
        """The ids of uploads to a key that are neither complete nor aborted. Raises StoreAway."""
        query = {"uploads": "", "prefix": key, "max-uploads": str(MOST_UPLOADS)}
        return [
            told["UploadId"]
            for told in await self._listed(query, "Upload")
            if told.get("Key") == key and 0 < len(told.get("UploadId", "")) <= _ID_CHARACTERS
        ]

    async def page(self, query: Mapping[str, str], most_bytes: int) -> ListedPage:
        """One page of ListObjectsV2, as `query` asks for it. Raises StoreAway."""
        asked = {"list-type": "2"} | dict(query)
        body = await self._ask("GET", "", asked, doing="list", most_bytes=most_bytes)
        if not body:
            raise explained(self.place, "list", "status 404 <Code>NoSuchBucket</Code>")
        (told, *_) = self._records(body, "ListBucketResult") or [{}]
        return ListedPage(
            objects=self._records(body, "Contents"),
            folders=[each.get("Prefix", "") for each in self._records(body, "CommonPrefixes")],
            next_token=told.get("NextContinuationToken", ""),
        )

    async def delete(self, key: str) -> None:
        """Removes an object, of whatever key; one that is not there, too. Raises StoreAway."""
        await self._ask("DELETE", key, {}, doing="delete")

    async def keeps_versions(self) -> bool:
        """Whether what is deleted or replaced stays as an older version. Raises StoreAway."""
        told = await self._listed({"versioning": ""}, "VersioningConfiguration")
        return any(each.get("Status") == "Enabled" for each in told)

    async def abort(self, key: str, upload_id: str) -> None:
        """Ends an upload, and frees what it has taken. Raises StoreAway."""
        await self._ask("DELETE", key, {"uploadId": upload_id})

    async def _listed(self, query: Mapping[str, str], name: str) -> list[dict[str, str]]:
        """What the bucket answers of elements of this name. Raises StoreAway."""
        body = await self._ask("GET", "", query)
        return self._records(body, name) if body else []

    def _records(self, body: bytes, name: str) -> list[dict[str, str]]:
        try:
            return s3_answers.records(body, name)
        except s3_answers.NotReadable as error:
            raise StoreAway(
                f"{self.place}: the store answers what S3 does not, or more than is read: {error}"
            ) from None

    async def _ask(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        *,
        doing: str = "upload",
        most_bytes: int = ANSWER_BYTES,
    ) -> bytes:
        """The body of an answer; empty if there is nothing of that kind. Raises StoreAway."""
        async with client() as asking:
            answer = await self.send(asking, method, key, query, doing=doing, most_bytes=most_bytes)
        if answer.status == httpx.codes.NOT_FOUND:
            return b""
        if not answer.is_success:
            said = answer.beginning.decode(errors="replace")
            raise explained(self.place, doing, f"status {answer.status} {said}")
        return answer.beginning

    async def send(
        self,
        asking: httpx.AsyncClient,
        method: str,
        key: str,
        query: Mapping[str, str],
        *,
        doing: str,
        headers: Mapping[str, str] = _NONE,
        content: bytes = b"",
        seconds: float = REQUEST_SECONDS,
        most_bytes: int = ANSWER_BYTES,
    ) -> OutsideAnswer:
        """What the store answers, whatever it is. Raises StoreAway if it does not answer.

        `seconds`: besides what `content` takes on a slow line.
        """
        seconds += len(content) / SLOWEST_SENT
        life = timedelta(seconds=3 * seconds)
        url = await self.signed(method, key, query, life, headers)
        try:
            return await outside_answers.ask(
                asking,
                method,
                url,
                seconds=seconds,
                most_bytes=most_bytes,
                headers={**_PLAIN, **headers},
                content=content,
                timeout=seconds,
            )
        except (httpx.HTTPError, TimeoutError) as error:
            raise explained(self.place, doing, f"{type(error).__name__} {error}") from error

    async def signed(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        life: timedelta,
        headers: Mapping[str, str] = _NONE,
    ) -> str:
        """A URL that carries its signature for `method`, and for these headers."""
        base = urlsplit(self._base)
        prefix = base.path
        path = f"{prefix}/{quote(key)}" if key else prefix or "/"
        pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        request = HttpRequest(
            method,
            f"{path}?{pairs}" if pairs else path,
            HttpHeaders([("Host", base.netloc), *headers.items()]),
        )
        config = AwsSigningConfig(
            signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
            credentials_provider=self._provider,
            region=self._region,
            service="s3",
            use_double_uri_encode=False,
            should_normalize_uri_path=False,
            signed_body_value=AwsSignedBodyValue.UNSIGNED_PAYLOAD,
            expiration_in_seconds=max(1, int(life.total_seconds())),
        )
        try:
            signed = await asyncio.wrap_future(aws_sign_request(request, config))
        except AwsCrtError as error:
            raise explained(self.place, "read", str(error)) from error
        return f"{self.origin}{signed.path}"


def client() -> httpx.AsyncClient:
    """What sends requests to a store.

    All of them trust the same certificates: to read these anew would take 25 ms each time.
    """
    return httpx.AsyncClient(timeout=REQUEST_SECONDS, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
