"""Several clips as one zip: /archives."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.api import answer_watch
from app.api.call import Call
from app.api.file_routes import disposition
from app.api.json_types import ByteCount, Id, MediaUrl
from app.api.operation import Answer, endpoint
from app.api.token_buckets import Cost
from app.api.wire import Input, View
from app.clips import library
from app.clips.clean_copies import Preparing
from app.clips.clip_archive import MOST_CLIPS, ClipArchive
from app.errors import Gone, Invalid, NotFound
from app.models import FileRow
from app.storage.clip_store import OpenedClip

_MEDIA_TYPE = "application/zip"
_FILE = r"[0-9a-f]{1,64}(?:\.[0-9]{1,9})?"
_PATH = "/archives/clips.zip"


class ArchiveRequest(Input):
    """Which clips go into one file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"clip_ids": ["5f0c2d9e8b7a4c31d2e6f901"]}]}
    )

    clip_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_CLIPS)] = Field(
        description="Each by its `id`; in their order. One that is named twice goes in once."
    )


class ArchiveView(View):
    """A zip that is written while it is downloaded."""

    download_url: MediaUrl = Field(
        description="Its bytes.",
        examples=[f"/v1{_PATH}?files=5f0c2d9e8b7a4c31d2e6f902&exp=1793704800&sig=3f1a"],
    )
    size_bytes: ByteCount = Field(description="Of the zip.")


class ArchiveQuery(Input):
    """Which files the zip holds."""

    files: Annotated[
        str, Field(pattern=rf"^{_FILE}(?:,{_FILE}){{0,{MOST_CLIPS - 1}}}$", max_length=4000)
    ] = Field(
        description="The `file_id` of each, with commas between; what stands behind a `.` in a URL "
        "of ours goes with its signature.",
        examples=["5f0c2d9e8b7a4c31d2e6f902,5f0c2d9e8b7a4c31d2e6f903"],
    )


@endpoint(
    "POST /archives",
    "Where several clips can be downloaded as one zip",
    description=f"At most {MOST_CLIPS} that the caller may see, and 20 GiB. Nothing is kept of it.",
    answers={HTTPStatus.OK: Answer("It can be downloaded.")},
    problems=[Invalid, NotFound, Preparing],
)
async def create_archive(call: Call[ArchiveRequest]) -> ArchiveView:
    """Looks the clips up, and signs a URL of their archive."""
    wanted: list[tuple[str, int | None]] = []
    for clip_id in dict.fromkeys(call.input.clip_ids):
        clip = await library.find(call.ctx, call.caller, clip_id)
        owns = clip.row["owner"] == call.caller.identity
        wanted.append((clip.file["_id"], None if owns else clip.row["grant"]))
    archive = ClipArchive([await _file(call, *each) for each in wanted])
    return ArchiveView(
        download_url=call.reader.url(_PATH, files=",".join(_written(*each) for each in wanted)),
        size_bytes=archive.size_bytes,
    )


@endpoint(
    f"GET {_PATH}",
    "Several clips as one zip",
    description="With a token, or by a `download_url` of `POST /archives`. Nothing in it is "
    "compressed. It is written while it is sent: whose right to a clip ends meanwhile has an "
    "answer that breaks off.",
    answers={
        HTTPStatus.OK: Answer(
            "The zip.",
            media_type=_MEDIA_TYPE,
            headers={"Content-Disposition": "A file name that tells the time."},
        )
    },
    problems=[Gone, Invalid, NotFound, Preparing],
    access="token or signature",
    cost=Cost.MEDIA,
)
async def get_archive(call: Call[ArchiveQuery]) -> Response:
    """Sends an archive of clips, each as the one who asks gets it."""
    wanted = [_read(each) for each in call.input.files.split(",")]
    archive = ClipArchive([await _file(call, *each) for each in wanted])

    sent = wanted[0]

    async def opened(place: int) -> OpenedClip:
        nonlocal sent
        sent = wanted[place]
        file = await _file(call, *sent)
        return await call.ctx.clips.open(file["storage_path"])

    async def goes_on() -> bool:
        file_id, grant = sent
        return await call.state.open_files.by_right(file_id, call.reader.caller, grant)

    headers = {
        "Content-Length": str(archive.size_bytes),
        "Content-Disposition": disposition(f"clips {call.now:%Y-%m-%d %H.%M.%S}.zip", "attachment"),
    }
    if call.request.method == "HEAD":
        return Response(None, HTTPStatus.OK, headers, _MEDIA_TYPE)
    answer = StreamingResponse(archive.read(opened), HTTPStatus.OK, headers, _MEDIA_TYPE)
    return answer_watch.watched(answer, goes_on)


async def _file(call: Call[Any], file_id: str, grant: int | None) -> FileRow:
    """A file as the request's token or signature opens it. Raises NotFound, Gone, Preparing."""
    return await library.file_for(call.ctx, call.reader.caller, file_id, grant)


def _written(file_id: str, grant: int | None) -> str:
    return file_id if grant is None else f"{file_id}.{grant}"


def _read(told: str) -> tuple[str, int | None]:
    """The id of a file, and which grant of its owner's a signature goes back to."""
    file_id, _, grant = told.partition(".")
    return file_id, int(grant) if grant else None


routes: list[BaseRoute] = [create_archive, get_archive]
