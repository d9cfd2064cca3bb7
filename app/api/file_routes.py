"""The bytes of clips: /files/{id}."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from urllib.parse import quote

import structlog
from pydantic import Field
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.api import answer_watch, auth, ranges
from app.api.call import Call
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Cost
from app.api.wire import LooseQuery
from app.buffer import paths
from app.clips import library, sharing
from app.clips.clean_copies import Preparing
from app.errors import Gone, NotFound
from app.models import FileRow
from app.storage.confined import PathRefused

log = structlog.get_logger()

_PICTURES = ("image/gif", "image/webp")
"""Of renditions that are no films."""
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
TO_ANYBODY = {
    "Cache-Control": "private, no-cache",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}
"""Of what a link opens: any page may show it, none may list it, and each look is asked for."""

REDIRECT_LIFE = timedelta(minutes=5)
"""How long a bucket's URL is good at most: for as long somebody may read who was refused since.

By a link it is the film's length longer: a player asks where it was led to for what is further on,
and a link's page has no script that would ask us again.
"""


class FileQuery(LooseQuery):
    """What is done with a clip's bytes."""

    download: bool = Field(False, description="Whether they are to be saved, and not shown.")


@endpoint(
    "GET /files/{file_id}",
    "The bytes of a clip",
    former="/file/{file_id}",
    description="With a token, or by the `file_url`, `download_url` or `link_url` in the clip's "
    "JSON. HEAD too; one range at a time. Where clips are in a bucket the answer leads there for 5 "
    "minutes, or as long as your right holds; by a link, for the film's length longer. A "
    "rendition's `id` is a `file_id`, too: that is `image/gif` or `image/webp`, if it is no MP4.",
    answers={
        HTTPStatus.OK: Answer(
            "The whole file.",
            media_type="video/mp4",
            or_types=_PICTURES,
            headers={
                "ETag": "Stays the same for the life of the file.",
                "Content-Disposition": "A file name made of the title.",
                "Digest": "SHA-256 of the whole file, once it is known.",
                "Repr-Digest": "The same as RFC 9530 writes it.",
            },
        ),
        HTTPStatus.PARTIAL_CONTENT: Answer(
            "The range asked for.", media_type="video/mp4", or_types=_PICTURES
        ),
        HTTPStatus.TEMPORARY_REDIRECT: Answer(
            "They are in a bucket: ask there, for ranges too.",
            headers={"Location": "A URL that reads them for a while."},
        ),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    },
    problems=[
        NotFound,
        Gone,
        Preparing,
        *ranges.PROBLEMS,
    ],
    access="token, signature or link",
    cost=Cost.MEDIA,
)
async def get_file(call: Call[FileQuery]) -> Response:
    """Serves a clip's file, all of it or a range, or leads to the bucket that it is in."""
    file, ends_at = await _file(call)
    shown = ranges.Representation(
        size_bytes=file["size_bytes"],
        # The bytes under an id never change, so the id tells them before a checksum does.
        etag=f'"{file["_id"]}-{file["size_bytes"]:x}"',
        media_type=file["mime"],
        headers={
            "Content-Disposition": disposition(
                file["filename"], "attachment" if call.input.download else "inline"
            )
        }
        | _digests(file)
        | (TO_ANYBODY if auth.link(call.request) is not None else {}),
    )
    try:
        if (url := await _elsewhere(call, file, shown, ends_at)) is not None:
            return _led(call, url)
        opened = await call.ctx.clips.open(file["storage_path"])
    except (FileNotFoundError, PathRefused) as error:
        log.error("clip_file_missing", file=file["_id"], error=str(error))
        raise Gone("the file of this clip is lost") from error
    with opened.until_answered():
        # A link tells when only if its owner lets it.
        modified_at = None if auth.link(call.request) is not None else opened.modified_at
        served = replace(shown, size_bytes=opened.size_bytes, modified_at=modified_at)
        answer = await ranges.answer(call.request, served, opened.read, opened.close)
    if not isinstance(answer, StreamingResponse):
        return answer
    return answer_watch.watched(answer, partial(_goes_on, call))


async def _file(call: Call[FileQuery]) -> tuple[FileRow, datetime]:
    """The file that the request's token, signature or link opens, and how long it does at most."""
    file_id = call.path["file_id"]
    soon = call.now + REDIRECT_LIFE
    if (secret := auth.link(call.request)) is not None:
        clip = await sharing.file_by_link(call.ctx, file_id, secret)
        ends_at = soon + timedelta(seconds=clip.row["duration_seconds"])
        return clip.file, min(ends_at, clip.row["link_expires_at"] or soon)
    # A caller's own right is looked at; a signature is good for what it covers.
    reader = call.reader
    file = await library.file_for(call.ctx, reader.caller, file_id, reader.grant)
    return file, min(soon, reader.expires_at)


async def _goes_on(call: Call[FileQuery]) -> bool:
    """Whether what was opened may be sent on: the clip is there, and shown to whoever it was."""
    file_id, known = call.path["file_id"], call.state.open_files
    if (secret := auth.link(call.request)) is not None:
        return await known.by_link(file_id, secret)
    return await known.by_right(file_id, call.reader.caller, call.reader.grant)


async def _elsewhere(
    call: Call[FileQuery], file: FileRow, shown: ranges.Representation, ends_at: datetime
) -> str | None:
    """Where the request is answered, if not here.

    Here it is where the place for clips has no URLs or may not be asked for them, and where it
    would not understand: it knows no ETag of ours, and a signature is good for one method. And what
    a link opens whose key has the owner's name, as one that was copied from a folder has: a link
    tells names only if its owner says so.
    """
    given = call.request.headers
    if call.request.method != "GET" or "if-match" in given or ranges.is_known(given, shown):
        return None
    is_named = not paths.is_nameless(file["storage_path"])
    if call.ctx.settings.clips_proxy or (is_named and auth.link(call.request) is not None):
        return None
    told = shown.headers["Content-Disposition"]
    return await call.ctx.clips.url(file["storage_path"], ends_at - call.now, told)


def _led(call: Call[FileQuery], url: str) -> Response:
    """The answer that leads to where the bytes are. It is kept by nobody: the URL ends."""
    to_anybody = TO_ANYBODY if auth.link(call.request) is not None else {}
    headers = {**to_anybody, "Cache-Control": "no-store", "Location": url}
    return Response(status_code=HTTPStatus.TEMPORARY_REDIRECT, headers=headers)


def disposition(filename: str, kind: str = "inline") -> str:
    """Content-Disposition for any file name, as RFC 6266 asks: an ASCII name, then the true one."""
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\%/' else "_"
        for char in filename
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _digests(file: FileRow) -> dict[str, str]:
    known = _SHA256.fullmatch(file["checksum"] or "")
    if known is None:
        return {}
    digest = base64.b64encode(bytes.fromhex(known[1])).decode()
    return {"Digest": f"sha-256={digest}", "Repr-Digest": f"sha-256=:{digest}:"}


routes: list[BaseRoute] = [get_file]
