"""Serves the page of an example, and makes the tokens of who opens it.

An app of yours makes tokens for the users that it knows; this one believes any name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from livekit import api

ROOM = "demo"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
}


class Page(BaseHTTPRequestHandler):
    """What the browser asks for. `files`: by path a file, or the URL where it is instead."""

    files: Mapping[str, Path | str] = {}

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        match url.path:
            case "/config.json":
                told = {"livekit": _setting("LIVEKIT_URL"), "replay": _setting("REPLAY_URL")}
                self._answer("application/json", json.dumps(told).encode())
            case "/token":
                room, name = query.get("room", [ROOM])[0], query.get("name", ["guest"])[0]
                self._answer("text/plain; charset=utf-8", _token(name, room).encode())
            case path if isinstance(file := self.files.get(path), Path):
                self._answer(_MEDIA_TYPES[file.suffix], file.read_bytes())
            case path if elsewhere := self.files.get(path):
                self.send_response(302)
                self.send_header("Location", str(elsewhere))
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


def serve(files: Mapping[str, Path | str], port: int) -> None:
    """Serves until it is ended; prints where."""
    handler = type("Served", (Page,), {"files": files})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}/?name=alice", flush=True)
        server.serve_forever()


def _setting(name: str) -> str:
    defaults = {"LIVEKIT_URL": "ws://127.0.0.1:7880", "REPLAY_URL": "http://127.0.0.1:8000"}
    return os.environ.get(name, defaults.get(name, ""))


def _token(identity: str, room: str) -> str:
    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
    token = api.AccessToken(_setting("LIVEKIT_API_KEY"), _setting("LIVEKIT_API_SECRET"))
    return token.with_identity(identity).with_grants(grants).to_jwt()
