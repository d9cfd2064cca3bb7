"""Serves the page, and makes the tokens of who opens it: `python -m deploy.examples.vanilla`.

An app of yours makes tokens for the users that it knows; this one believes any name.
"""

from __future__ import annotations

import argparse
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from livekit import api

PAGE = Path(__file__).with_name("index.html")
CDN = "https://cdn.jsdelivr.net/npm/livekit-client@2/dist/livekit-client.esm.mjs"
ROOM = "demo"


class Page(BaseHTTPRequestHandler):
    """What the browser asks for."""

    client_module: Path | None = None

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        match url.path:
            case "/":
                self._answer("text/html; charset=utf-8", PAGE.read_bytes())
            case "/config.json":
                told = {"livekit": _setting("LIVEKIT_URL"), "replay": _setting("REPLAY_URL")}
                self._answer("application/json", json.dumps(told).encode())
            case "/token":
                room, name = query.get("room", [ROOM])[0], query.get("name", ["guest"])[0]
                self._answer("text/plain; charset=utf-8", _token(name, room).encode())
            case "/livekit-client.js" if self.client_module:
                self._answer("text/javascript", self.client_module.read_bytes())
            case "/livekit-client.js":
                self.send_response(302)
                self.send_header("Location", CDN)
                self.end_headers()
            case _:
                self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Says nothing: tokens are nothing for logs."""

    def _answer(self, media_type: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)


def _setting(name: str) -> str:
    defaults = {"LIVEKIT_URL": "ws://127.0.0.1:7880", "REPLAY_URL": "http://127.0.0.1:8000"}
    return os.environ.get(name, defaults.get(name, ""))


def _token(identity: str, room: str) -> str:
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
    token = api.AccessToken(_setting("LIVEKIT_API_KEY"), _setting("LIVEKIT_API_SECRET"))
    return token.with_identity(identity).with_grants(grants).to_jwt()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m deploy.examples.vanilla", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--livekit-client", type=Path, help="its livekit-client.esm.mjs; without, it is a CDN's"
    )
    given = parser.parse_args()
    Page.client_module = given.livekit_client
    with ThreadingHTTPServer(("127.0.0.1", given.port), Page) as server:
        print(f"http://127.0.0.1:{given.port}/?name=alice", flush=True)
        server.serve_forever()
