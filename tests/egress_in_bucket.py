"""Plays an egress that uploads: segments and playlists as egress v1.14.1 puts them into a bucket.

An object appears whole: first a segment, then full.m3u8 and live.m3u8, which name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import obstore
from obstore.store import S3Store

from tests.egress_on_disk import DiskEgress


class Bucket:
    """The bucket of some settings, for whoever may do everything there. All calls block."""

    def __init__(self, settings: Mapping[str, Any], endpoint: str) -> None:
        place = str(settings["buffer_url"]).removeprefix("s3://")
        name, _, self.prefix = place.partition("/")
        self._store = S3Store(
            name,
            endpoint=endpoint,
            aws_endpoint_url_s3=endpoint,
            region="us-east-1",
            access_key_id=settings["aws_access_key_id"],
            secret_access_key=settings["aws_secret_access_key"],
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def put(self, key: str, content: bytes, media_type: str = "video/mp2t") -> None:
        attributes = {"Content-Type": media_type, "Content-Disposition": "inline"}
        obstore.put(self._store, key, content, attributes=attributes, use_multipart=False)

    def get(self, key: str) -> bytes:
        return bytes(obstore.get(self._store, key).bytes())

    def delete(self, key: str) -> None:
        obstore.delete(self._store, key)

    def listed(self, prefix: str = "") -> list[str]:
        """All of them, in order."""
        found = obstore.list(self._store, prefix or None)
        return sorted(each["path"] for page in found for each in page)


@dataclass
class BucketEgress(DiskEgress):
    """One egress that uploads what another would write into `folder`, by keys of that prefix."""

    bucket: Bucket = field(kw_only=True)

    def __post_init__(self) -> None:
        """Nothing is to be made."""

    def _write(self, name: str, media: bytes) -> None:
        self.bucket.put(str(self.folder / name), media)

    def _rewrite(self, name: str, data: bytes) -> None:
        self.bucket.put(str(self.folder / name), data, "application/x-mpegurl")
