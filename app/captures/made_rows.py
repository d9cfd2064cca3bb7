"""The rows of a clip that a capture has made, and of its file."""

from __future__ import annotations

from datetime import timedelta

from app.context import Context
from app.models import CaptureResult, CaptureRow, ClipRow, Row
from app.models.schema import File, ReplayClip


def checksum(sha256: str | None) -> str | None:
    """A hash as the row of a file has it."""
    return sha256 and f"sha256:{sha256}"


def file(capture: CaptureRow, result: CaptureResult, path: str, sha256: str | None) -> File:
    """The row of the clip's file, which lies at `path` of the place for clips."""
    return File(
        id=result["file_id"],
        filename=result["filename"],
        size_bytes=result["size_bytes"],
        checksum=checksum(sha256),
        uploaded_by=capture["caller"],
        storage_path=path,
        resource_id=capture["clip_id"],
        created_at=result["created_at"],
    )


def clip(
    ctx: Context, capture: CaptureRow, result: CaptureResult, whole: ClipRow | None
) -> ReplayClip:
    """The clip's row. `whole`: of the clip that it is a trim of; closed, so are its parts."""
    days = ctx.settings.clip_days
    fields: Row = {"cut": capture["cut"], **result["told"]}
    if whole is not None:
        fields |= {"trimmed_from": whole["_id"], "ancestors": [whole["_id"], *whole["ancestors"]]}
        is_closed = whole["closed_by"] is not None
        fields |= {"opened": is_closed and whole["opened"], "closed_by": whole["closed_by"]}
    return ReplayClip(
        id=capture["clip_id"],
        capture_id=capture["_id"],
        owner=capture["caller"],
        shared_by=capture["identity"],
        buffer_id=capture["buffer_id"],
        room=capture["room"],
        room_sid=capture["room_sid"],
        community=capture["community"],
        title=capture["title"],
        moment_id=capture["moment_id"],
        ready=True,
        requested_start=capture["requested_start"],
        requested_end=capture["requested_end"],
        created_at=result["created_at"],
        expires_at=result["created_at"] + timedelta(days=days) if days else None,
        file_id=result["file_id"],
        **fields,
    )
