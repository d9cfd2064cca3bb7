"""The examples as far as they need no LiveKit: tests/e2e/test_kit_in_chromium.py has the rest."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access import tokens
from app.settings import load
from deploy.examples.page_server import Page
from deploy.examples.python.__main__ import ASKED, BOT, make_token
from deploy.examples.vanilla.__main__ import CDN, PAGE
from deploy.local.stack import ROOT

EXAMPLES = ROOT / "deploy" / "examples"
KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}
LINK = "https://replay.example.com/c/secret"


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of this handler; where it is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Answers(BaseHTTPRequestHandler):
    """What the service answers to who makes a clip, in the order in which it is asked."""

    told: list[tuple[int, dict[str, Any]]]
    asked: list[tuple[str, str, str | None, str]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.asked.append((self.command, self.path, self.headers["Authorization"], body))
        status, answer = self.told.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_POST = do_PATCH = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def run_curl(
    *told: tuple[int, dict[str, Any]],
) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    """The shell's example, answered so; and what it asked."""
    handler = type("Told", (Answers,), {"told": [*told], "asked": []})
    with answering(handler) as url:
        environment = os.environ | {"REPLAY_URL": url, "TOKEN": "a-token"}
        command = [str(EXAMPLES / "curl/clip"), 'studio "1"', "zoë", "20"]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    return ran, handler.asked  # type: ignore[attr-defined]


def test_the_shell_waits_for_its_clip_and_prints_the_link() -> None:
    ran, asked = run_curl(
        (202, {"id": "k1"}),
        (200, {"status": "running"}),
        (200, {"status": "ready", "clip_id": "c1"}),
        (200, {"page_url": LINK}),
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, LINK), ran.stderr
    assert [(method, path) for method, path, _, _ in asked] == [
        ("POST", "/v1/captures"),
        ("GET", "/v1/captures/k1"),
        ("GET", "/v1/captures/k1"),
        ("PATCH", "/v1/clips/c1"),
    ]
    assert {authorization for _, _, authorization, _ in asked} == {"Bearer a-token"}
    wanted = {"room": 'studio "1"', "sharer": "zoë", "last": "20s"}
    assert json.loads(asked[0][3]) == wanted
    assert json.loads(asked[3][3]) == {"visibility": "link"}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ([(403, {"type": "not-permitted", "detail": "only alice"})], "only alice"),
        ([(202, {"id": "k1"}), (200, {"status": "failed", "detail": "disk full"})], "disk full"),
    ],
)
def test_the_shell_says_why_there_is_no_clip(
    told: list[tuple[int, dict[str, Any]]], says: str
) -> None:
    ran, _ = run_curl(*told)
    assert ran.returncode != 0
    assert says in ran.stderr


@pytest.mark.parametrize("module", [None, ROOT / "app/kit/replay.js"])
def test_the_page_comes_with_all_that_it_asks_for(
    module: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where things are, a token for the room, and livekit-client: a file's, or a CDN's."""
    for name, value in (KEYS | {"LIVEKIT_URL": "ws://l", "REPLAY_URL": "http://r"}).items():
        monkeypatch.setenv(name, value)
    files = {"/": PAGE, "/livekit-client.js": module or CDN}
    with (
        answering(type("Ours", (Page,), {"files": files})) as url,
        httpx.Client(base_url=url) as http,
    ):
        page = http.get("/?name=alice").text
        assert set(re.findall(r"['`]\./([\w.-]+)", page)) == {
            "livekit-client.js", "config.json", "token",
        }  # fmt: skip
        assert http.get("/config.json").json() == {"livekit": "ws://l", "replay": "http://r"}
        caller = tokens.verify(settings(), http.get("/token?name=alice&room=r").text)
        assert (caller.identity, caller.room) == ("alice", "r")
        client = http.get("/livekit-client.js")
        if module:
            assert client.text == module.read_text()
        else:
            assert client.headers["Location"] == CDN
        assert http.get("/../README.md").status_code == 404


def test_the_bot_is_the_admin_of_its_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may capture what others share there."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    caller = tokens.verify(settings(), make_token("r"))
    assert (caller.identity, caller.room, caller.room_admin) == (BOT, "r", True)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("clip that", 30), ("Clip that!", 30), ("clip that 60", 60), ("do not clip that", None)],
)
def test_the_bot_hears_who_asks(said: str, seconds: int | None) -> None:
    asked = ASKED.fullmatch(said)
    assert (int(asked[1] or 30) if asked else None) == seconds


def settings() -> Any:
    return load(
        _env_file=None, livekit_api_key="key", livekit_api_secret=KEYS["LIVEKIT_API_SECRET"]
    )
