"""What is secret stays out of logs, metrics and errors; what others have named stays data there."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.context import Context
from app.processes.free_ports import choose_ports
from app.settings import Settings
from deploy.local.stack import ROOT
from tests.integration.api.conftest import OWNER, ROOM, bearer, token
from tests.integration.clips.rows import add_clip
from tests.integration.conftest import LIVEKIT_API_KEY, LIVEKIT_API_SECRET
from tests.waiting import PATIENCE_SECONDS, wait_for

METRICS_TOKEN = "the-token-of-the-metrics-of-32-bytes"
EVENTS_SECRET = "the-secret-of-the-events-of-32-by"
NASTY = 'eve\n{"event": "forged", "level": "info"}\r\x1b[31m<script>\u2028'
"""An identity, a title and a room that would be a line of its own where it is more than data."""


@asynccontextmanager
async def api(
    settings: Settings, folder: Path, log_format: str
) -> AsyncIterator[httpx.AsyncClient]:
    """`python -m app api` on the stores of the test; its output goes to `folder`/log."""
    port = choose_ports(["http"], folder / "ports.json")["http"]
    environment = {
        "LIVEKIT_API_KEY": LIVEKIT_API_KEY,
        "LIVEKIT_API_SECRET": LIVEKIT_API_SECRET,
        "MONGO_URL": settings.mongo_url,
        "REDIS_URL": settings.redis_url,
        "DATA_DIR": str(settings.data_dir),
        "PORT": str(port),
        "METRICS_TOKEN": METRICS_TOKEN,
        "EVENTS_URL": "http://127.0.0.1:9/",
        "EVENTS_KEY": "events",
        "EVENTS_SECRET": EVENTS_SECRET,
        "LOG_FORMAT": log_format,
        "LOG_LEVEL": "debug",
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "api",
            cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS
        ) as client:

            async def answers() -> bool:
                try:
                    return (await client.get("/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await wait_for(answers)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def use(http: httpx.AsyncClient, clip_id: str) -> tuple[list[str], list[str]]:
    """Requests with every kind of credential, right and wrong; all secrets, and all answers."""
    nasty = token(NASTY)
    session = (await http.post("/session", headers=OWNER)).json()["token"]
    opened = (
        await http.patch(f"/clips/{clip_id}", json={"visibility": "link"}, headers=OWNER)
    ).json()
    link, page = opened["link_url"], opened["page_url"]
    page_path = page[page.index("/c/") :]
    clip = (await http.get(f"/clips/{clip_id}", headers=bearer(session))).json()
    link_path = link[link.index("/file") :]
    tokens = (token(), nasty, session, token(key="other"))
    secrets = [
        *(part for text in tokens for part in text.split(".")[1:]),
        re.findall(r"sig=(\w+)", clip["url"])[0],
        link.split("link=")[1],
        LIVEKIT_API_SECRET,
        EVENTS_SECRET,
        METRICS_TOKEN,
    ]  # fmt: skip
    answers = []
    for method, path, headers, body in (
        ("GET", clip["url"], {}, None),
        ("GET", link_path, {}, None),
        ("GET", link_path + "x", {}, None),
        ("GET", page_path, {"Accept": "text/html"}, None),
        ("GET", page_path + "/embed", {}, None),
        ("GET", page_path + "/poster.jpg", {}, None),
        ("GET", page_path + "/x", {}, None),
        ("GET", f"/oembed?url={page}", {}, None),
        ("GET", clip["url"] + "0", {}, None),
        ("GET", f"/clips?access_token={session}", {}, None),
        ("GET", "/clips", bearer(token(key="other")), None),
        ("GET", "/clips", bearer(session + "x"), None),
        ("GET", "/clips", {"Authorization": session}, None),
        ("GET", f"/buffers?nothing={session}", bearer(nasty), None),
        ("POST", "/captures", bearer(nasty), {"room": ROOM, "last": 1, "title": NASTY}),
        ("POST", "/captures", bearer(nasty), {"room": NASTY, "identity": NASTY, "last": 1}),
        ("PATCH", f"/clips/{clip_id}", OWNER, {"title": NASTY}),
        ("POST", "/webhooks/livekit", {"Authorization": session}, {}),
        ("GET", "/metrics", bearer(METRICS_TOKEN + "x"), None),
        ("GET", "/metrics", bearer(METRICS_TOKEN), None),
    ):
        found = await http.request(method, path, headers=headers, json=body)
        assert found.status_code < 500, (path, found.text)
        # The media URLs that a clip's JSON holds are for its owner, and a link's page leads to what
        # it opens; all else has none.
        leads = method == "PATCH" or page_path in path or page in path
        if not leads and f"nothing={session}" not in path:
            answers.append(found.text)
    return secrets, answers


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_no_secret_is_logged_or_told_and_every_line_is_ours(
    ctx: Context, settings: Settings, tmp_path: Path, log_format: str
) -> None:
    await add_clip(ctx, "c1", title="x")
    async with api(settings, tmp_path, log_format) as http:
        secrets, answers = await use(http, "c1")
    log = (tmp_path / "log").read_text()
    assert len(log.splitlines()) > 15
    for secret in secrets:
        assert secret not in log
        assert not [each for each in answers if secret in each]
    # splitlines knows more ends of lines than readers of logs do.
    for line in log.rstrip("\n").split("\n"):
        assert "\r" not in line
        assert "\x1b" not in line
        assert "{" not in line[:1] or json.loads(line)["event"] != "forged"
        if log_format == "json":
            said: dict[str, Any] = json.loads(line)
            assert {"event", "level", "timestamp", "role"} <= said.keys()
        else:
            assert re.match(r"\d{4}-\d\d-\d\dT\S+ \[", line), line
