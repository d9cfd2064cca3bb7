"""The examples, run as they are told to be, against what the service would answer."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy.local.stack import ROOT

EXAMPLES = ROOT / "deploy" / "examples"
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
