"""Texts that never change while the service runs: sent as they are, or packed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from app.api.ranges import Representation, is_known


class Tagged(NamedTuple):
    """What is sent, and its ETag, which takes as long to make as the rest of an answer."""

    content: bytes
    etag: str

    @classmethod
    def of(cls, content: bytes) -> Tagged:
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@dataclass(frozen=True)
class PackedDocument:
    """A text for everybody, as it is and packed for those who take that."""

    plain: Tagged
    packed: Tagged
    media_type: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> PackedDocument:
        return cls(Tagged.of(content), Tagged.of(gzip.compress(content)), media_type)

    def answer(self, request: Request, headers: Mapping[str, str] | None = None) -> Response:
        """All of it, or 304 to who has it already."""
        is_packed = "gzip" in request.headers.get("accept-encoding", "")
        content, etag = self.packed if is_packed else self.plain
        given = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
        given |= headers or {}
        if is_packed:
            given["Content-Encoding"] = "gzip"
        if is_known(request.headers, Representation(len(content), etag, self.media_type)):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=given)
        return Response(content, headers=given, media_type=self.media_type)
