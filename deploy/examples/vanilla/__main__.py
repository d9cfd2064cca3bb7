"""Serves the page: `python -m deploy.examples.vanilla`."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.examples import page_server

PAGE = Path(__file__).with_name("index.html")
CDN = "https://cdn.jsdelivr.net/npm/livekit-client@2/dist/livekit-client.esm.mjs"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m deploy.examples.vanilla", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--livekit-client", type=Path, help="its livekit-client.esm.mjs; without, it is a CDN's"
    )
    given = parser.parse_args()
    page_server.serve({"/": PAGE, "/livekit-client.js": given.livekit_client or CDN}, given.port)
