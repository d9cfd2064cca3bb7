"""What of S3 no library for all kinds of stores has: answers' headers in signed URLs, uploads.

Credentials are found, and requests signed, by AWS's own runtime: settings first, then whatever
AWS's tools would take.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
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
from app.settings.clip_store_settings import ClipPlace
from app.storage.store_answers import explained

if TYPE_CHECKING:
    from obstore.store import S3Credential

CREDENTIALS_SECONDS = 20.0
"""More than an instance's metadata service takes."""
CACHED = timedelta(minutes=15)
"""How long credentials that don't expire are taken for current: a file may be changed."""
REQUEST_SECONDS = 20.0
MOST_UPLOADS = 1000
"""Of one key that are told at once: each is an attempt that was broken off."""
_UPLOAD = re.compile(r"<Upload>.*?</Upload>", re.DOTALL)
_FIELD = "<{0}>([^<]*)</{0}>"


def s3_endpoint(settings: Settings, bucket: str) -> str:
    """The URL of a bucket: a host of its own on AWS, unless no certificate covers its name."""
    if settings.s3_endpoint:
        return f"{settings.s3_endpoint}/{bucket}"
    host = f"s3.{settings.s3_region}.amazonaws.com"
    return f"https://{host}/{bucket}" if "." in bucket else f"https://{bucket}.{host}"


class S3Requests:
    """Signs for one bucket, and asks it what only S3 is asked."""

    def __init__(self, settings: Settings, place: ClipPlace) -> None:
        self._place = place
        self._base = s3_endpoint(settings, place.bucket)
        self._region = settings.s3_region
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
        text = await self._ask("GET", "", query)
        found = []
        for upload in _UPLOAD.findall(text):
            fields = {name: re.search(_FIELD.format(name), upload) for name in ("Key", "UploadId")}
            told = {name: html.unescape(each[1]) for name, each in fields.items() if each}
            if told.get("Key") == key and "UploadId" in told:
                found.append(told["UploadId"])
        return found

    async def keeps_versions(self) -> bool:
        """Whether what is deleted or replaced stays as an older version. Raises StoreAway."""
        return "<Status>Enabled</Status>" in await self._ask("GET", "", {"versioning": ""})

    async def abort(self, key: str, upload_id: str) -> None:
        """Ends an upload, and frees what it has taken. Raises StoreAway."""
        await self._ask("DELETE", key, {"uploadId": upload_id})

    async def _ask(self, method: str, key: str, query: Mapping[str, str]) -> str:
        url = await self.signed(method, key, query, timedelta(seconds=3 * REQUEST_SECONDS))
        try:
            async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as client:
                answer = await client.request(method, url)
        except httpx.HTTPError as error:
            raise explained(self._place, "upload", f"{type(error).__name__} {error}") from error
        if answer.is_error and answer.status_code != httpx.codes.NOT_FOUND:
            raise self._error(answer)
        return answer.text

    def _error(self, answer: httpx.Response) -> StoreAway:
        return explained(self._place, "upload", f"status {answer.status_code} {answer.text}")

    async def signed(self, method: str, key: str, query: Mapping[str, str], life: timedelta) -> str:
        """A URL that carries its signature for `method`."""
        base = urlsplit(self._base)
        prefix = base.path
        path = f"{prefix}/{quote(key)}" if key else prefix or "/"
        pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        request = HttpRequest(
            method, f"{path}?{pairs}" if pairs else path, HttpHeaders([("Host", base.netloc)])
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
            raise explained(self._place, "read", str(error)) from error
        return f"{self.origin}{signed.path}"
