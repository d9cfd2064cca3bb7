"""Where one egress's files go: a folder, or a bucket of S3. All calls block.

In a folder everything is written in place: readers see growing `.ts` files and empty playlists. An
object appears whole.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

_CHUNK = 32 * 1024
_PAUSES = (0.7, 1.4, 2.8, 5.6)
"""Between attempts to upload: the real one gives up after 5 of them and some 11 s."""
_CODE = re.compile(r"<Code>([A-Za-z0-9.]+)</Code>")
_FORBIDDEN = re.compile(r"<Code>(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch)</Code>")


class Place(Protocol):
    """`kind`: how the real one calls it where an upload has failed."""

    kind: str

    def location(self, name: str) -> str:
        """What EgressInfo says of where a file is."""

    def copy(self, source: Path, name: str, limit: int) -> None:
        """Writes the first `limit` bytes of a file. Raises OSError."""

    def write(self, name: str, text: str, torn_seconds: float) -> None:
        """Writes a text, whatever had its name; one that is torn in two steps. Raises OSError."""


class Folder:
    """A folder that the worker sees."""

    kind = "Local"

    def __init__(self, folder: PurePosixPath) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def location(self, name: str) -> str:
        return str(self._folder / name)

    def copy(self, source: Path, name: str, limit: int) -> None:
        with source.open("rb") as reader, (self._folder / name).open("wb", buffering=0) as writer:
            while limit > 0 and (chunk := reader.read(min(_CHUNK, limit))):
                limit -= writer.write(chunk)

    def write(self, name: str, text: str, torn_seconds: float) -> None:
        cut = len(text) * 2 // 3
        with (self._folder / name).open("w") as file:
            for part in (text[:cut], text[cut:]) if torn_seconds else (text,):
                time.sleep(torn_seconds)
                file.write(part)
                file.flush()


@dataclass(frozen=True)
class S3Storage:
    """A bucket, and the way in: of a request, or of the worker's own configuration."""

    bucket: str
    endpoint: str
    region: str
    access_key: str
    secret: str
    force_path_style: bool

    @classmethod
    def of(cls, given: Any) -> S3Storage:
        """From a `livekit.S3Upload`. Raises ValueError."""
        if given.assume_role_arn:
            raise ValueError("the stand-in takes no role: give it a key")
        return cls(
            given.bucket,
            given.endpoint,
            given.region or "us-east-1",
            given.access_key,
            given.secret,
            given.force_path_style,
        )

    @classmethod
    def configured(cls, storage: Mapping[str, Any]) -> S3Storage | None:
        """From `storage` of egress.yaml; None if there is no S3 in it."""
        if not (given := storage.get("s3")):
            return None
        return cls(
            bucket=str(given["bucket"]),
            endpoint=str(given.get("endpoint", "")),
            region=str(given.get("region", "us-east-1")),
            access_key=str(given.get("access_key", "")),
            secret=str(given.get("secret", "")),
            force_path_style=bool(given.get("force_path_style")),
        )


class Bucket:
    """The keys of a bucket that begin with a folder."""

    kind = "S3"

    def __init__(self, storage: S3Storage, folder: PurePosixPath) -> None:
        from obstore.store import S3Store  # only who uploads waits for it

        self._storage = storage
        self._folder = str(folder).strip("/")
        self._store = S3Store(
            storage.bucket,
            endpoint=storage.endpoint or None,
            aws_endpoint_url_s3=storage.endpoint or None,
            region=storage.region,
            access_key_id=storage.access_key,
            secret_access_key=storage.secret,
            virtual_hosted_style_request=not storage.force_path_style,
            client_options={"allow_http": storage.endpoint.startswith("http:")},
            retry_config={"max_retries": 0},
        )

    def location(self, name: str) -> str:
        host = self._storage.endpoint.partition("://")[2]
        return f"https://{host}/{self._storage.bucket}/{self._folder}/{name}"

    def copy(self, source: Path, name: str, limit: int) -> None:
        with source.open("rb") as reader:
            self._put(name, reader.read(limit), "video/mp2t")

    def write(self, name: str, text: str, torn_seconds: float) -> None:
        time.sleep(torn_seconds)
        self._put(name, text.encode(), "application/x-mpegurl")

    def _put(self, name: str, content: bytes, media_type: str) -> None:
        import obstore
        from obstore.exceptions import BaseError

        attributes = {"Content-Type": media_type, "Content-Disposition": "inline"}
        for pause in (*_PAUSES, None):
            try:
                obstore.put(
                    self._store,
                    f"{self._folder}/{name}",
                    content,
                    attributes=attributes,
                    use_multipart=False,
                )
                return
            except (BaseError, OSError) as error:
                why = str(error)
                if pause is None or _FORBIDDEN.search(why):
                    code = found[1] if (found := _CODE.search(why)) else "no answer"
                    said = f"operation error S3: PutObject, api error {code}: {why}"
                    raise OSError(errno.EIO, said) from error
                time.sleep(pause)
