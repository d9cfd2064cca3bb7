"""Rows that somebody altered in the database: nothing is served but media of the session."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.clips import clip_expiry
from app.context import Context
from app.models.schema import File, ReplayClip, Segment
from app.storage import clip_files
from tests.integration.api.conftest import OWNER, MakeShare
from tests.integration.buffer.shares import DiskShare
from tests.integration.clips.rows import add_clip

SECRET = "LIVEKIT_API_SECRET=only-the-service-may-read-this"


@pytest.fixture
def outside(ctx: Context) -> Path:
    path = ctx.settings.media_root.parent / "outside.txt"
    path.write_text(SECRET)
    return path


async def alter(ctx: Context, share: DiskShare, sequence: int, path: Path, name: str) -> None:
    """What the row must hold to be served, if its name were believed."""
    facts = path.stat()
    fields = {"name": name, "modified_ns": None, "size_bytes": facts.st_size, "payload_offset": 0}
    await ctx.store.rows(Segment).update_one(
        {"_id": f"{share.session_id}:{sequence}"}, {"$set": fields}
    )


@pytest.mark.parametrize("name", ["{outside}", "../../../../../outside.txt", "..", "", "a/b"])
async def test_no_name_in_a_segments_row_serves_a_file_that_is_not_the_sessions(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare, outside: Path, name: str
) -> None:
    made = await share()
    last = len(made.media.segments) - 1
    await alter(ctx, made, last, outside, name.format(outside=outside))
    segment = await http.get(f"/segments/{made.session_id}-{last}.m4s", headers=OWNER)
    assert (segment.status_code, SECRET in segment.text) == (410, False), segment.text
    # its neighbours are as good as before
    first = await http.get(f"/segments/{made.session_id}-0.m4s", headers=OWNER)
    assert first.status_code == 200
    poster = await http.get(f"/buffers/{made.buffer_id}/poster.jpg", headers=OWNER)
    assert (poster.status_code, SECRET in poster.text) == (200, False)
    index = await http.get(f"/buffers/{made.buffer_id}/thumbnails.vtt", headers=OWNER)
    assert index.status_code == 200
    replay = await http.get(
        f"/buffers/{made.buffer_id}/replay.mp4?last=10", headers=OWNER, follow_redirects=True
    )
    assert (replay.status_code, SECRET in replay.text) == (410, False)


async def test_no_init_id_in_a_row_leads_out_of_the_sessions_folder(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    made = await share()
    await ctx.store.rows(Segment).update_many({}, {"$set": {"init_id": "x/../../../../outside"}})
    replay = await http.get(
        f"/buffers/{made.buffer_id}/replay.mp4?last=10", headers=OWNER, follow_redirects=True
    )
    assert replay.status_code == 410
    poster = await http.get(f"/buffers/{made.buffer_id}/poster.jpg", headers=OWNER)
    assert poster.status_code == 410


async def test_no_path_in_a_files_row_serves_what_is_no_clip(
    http: httpx.AsyncClient, ctx: Context, outside: Path
) -> None:
    await add_clip(ctx, "c1")
    await ctx.store.rows(File).update_one({}, {"$set": {"storage_path": str(outside)}})
    for path in ("/v1/files/file-c1", "/clips/c1/poster.jpg", "/clips/c1/thumbnails.vtt"):
        found = await http.get(path, headers=OWNER)
        assert (found.status_code, SECRET in found.text) == (410, False), (path, found.text)


@pytest.mark.parametrize(
    "altered", [{"checksum": "sha256:no hex"}, {"checksum": "x"}, {"size_bytes": "x"}], ids=str
)
async def test_no_file_stays_open_whatever_its_row_says(
    http: httpx.AsyncClient, ctx: Context, altered: dict[str, str]
) -> None:
    """A checksum that is none is not told; of a row that can't be served the file is closed."""
    await add_clip(ctx, "c1")
    (file,) = await ctx.store.rows(File).find({}).to_list(None)
    path = clip_files.locate(ctx.settings.media_root, file["storage_path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 1000)
    await ctx.store.rows(File).update_one({}, {"$set": altered})
    for _ in range(3):
        with suppress(ValueError):
            answer = await http.get("/v1/files/file-c1", headers=OWNER)
            if "checksum" in altered:
                assert (answer.status_code, "Digest" in answer.headers) == (200, False)
    assert [each for each in opened_files() if each == str(path)] == []


def opened_files() -> list[str]:
    """The paths of the files that this process holds open (proc(5), fd)."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(descriptor.readlink()))
    return found


async def test_a_clip_whose_path_was_altered_goes_without_taking_anything_along(
    ctx: Context, outside: Path
) -> None:
    """And the clips behind it go, too."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for name in ("c1", "c2"):
        await add_clip(ctx, name, deleted_at=long_ago, ready=False)
    await ctx.store.rows(File).update_one(
        {"_id": "file-c1"}, {"$set": {"storage_path": str(outside)}}
    )
    await clip_expiry.sweep_clips(ctx)
    assert outside.exists()
    assert await ctx.store.rows(ReplayClip).count_documents({}) == 0
