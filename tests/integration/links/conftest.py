"""The application, and clips with files whose links are followed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.context import Context
from app.storage import clip_files
from tests.integration.api.conftest import OWNER, app, http, recording, share
from tests.integration.clips.rows import add_clip

__all__ = ["app", "http", "recording", "share"]

BYTES = b"\0" * 1000
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

Link = Callable[..., Awaitable[str]]
"""Makes a clip of ann's whose bytes are BYTES, opens it by a link, and gives the secret."""


@pytest.fixture
def link(ctx: Context, http: httpx.AsyncClient) -> Link:
    async def make(name: str = "c1", changes: dict[str, Any] | None = None, **given: Any) -> str:
        row = await add_clip(ctx, name, **given)
        path = clip_files.locate(ctx.settings.media_root, f"replays/{row.id}.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BYTES)
        return secret_of(await opened(http, row.id, **(changes or {})))

    return make


async def opened(http: httpx.AsyncClient, clip_id: str, **changes: Any) -> Any:
    """A clip's JSON once its owner has opened it by a link."""
    body = {"visibility": "link"} | changes
    answer = await http.patch(f"/clips/{clip_id}", json=body, headers=OWNER)
    assert answer.status_code == 200, answer.text
    return answer.json()


def secret_of(clip: Any) -> str:
    """The secret of an opened clip's link."""
    return str(clip["page_url"].rpartition("/c/")[2])
