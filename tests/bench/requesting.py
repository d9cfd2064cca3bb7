"""A capture as a caller sees it: from the request to the clip that is ready."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass

import httpx

from tests.bench import measure
from tests.bench.measure import Cost
from tests.bench.recorded import ROOM
from tests.bench.running import Installation

SHARER = "sharer"
POLL_SECONDS = 0.01
DEADLINE_SECONDS = 600.0


@dataclass(frozen=True)
class Ready:
    """A clip that was asked for, and the seconds until it was accepted, and until it was ready."""

    clip_id: str
    accepted_seconds: float
    seconds: float


def until_ready(
    client: httpx.Client, last_seconds: float, poll_seconds: float = POLL_SECONDS
) -> Ready:
    """Asks for the newest media of the share that is there, and again until its clip is ready."""
    began = time.perf_counter()
    request = {"room": ROOM, "identity": SHARER, "last": last_seconds, "tail": "skip"}
    accepted = client.post("/captures", json=request)
    if accepted.status_code != httpx.codes.ACCEPTED:
        raise RuntimeError(f"POST /captures: {accepted.status_code} {accepted.text}")
    accepted_seconds = time.perf_counter() - began
    capture = accepted.json()
    while True:
        found = client.get(f"/captures/{capture['id']}").json()
        seconds = time.perf_counter() - began
        if found["status"] == "ready":
            return Ready(capture["clip_id"], accepted_seconds, seconds)
        if found["status"] in ("failed", "cancelled") or seconds > DEADLINE_SECONDS:
            raise RuntimeError(f"the capture did not get ready: {found}")
        time.sleep(poll_seconds)


def until_hashed(client: httpx.Client, clip_id: str) -> None:
    """Returns when the clip has its checksum: then its worker is at rest."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while client.get(f"/clips/{clip_id}").json()["checksum"] is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"clip {clip_id} gets no checksum")
        time.sleep(POLL_SECONDS)


def request_cost(running: Installation, client: httpx.Client, last_seconds: float) -> Cost:
    """What api and worker take up to the moment that a clip is ready; then it is removed."""
    api, worker = running.pids("api", "worker")
    idle = measure.resident_bytes(worker)
    measure.reset_peak(worker)
    before = measure.cpu_seconds_of([api, worker])
    ready = until_ready(client, last_seconds)
    cpu_seconds = measure.cpu_seconds_of([api, worker]) - before
    peak = max(0, measure.peak_bytes(worker) - idle)
    until_hashed(client, ready.clip_id)
    remove_clips(running)
    return Cost(ready.seconds, cpu_seconds, peak)


def remove_clips(running: Installation) -> None:
    """Frees the disk; the rows don't matter here."""
    shutil.rmtree(running.settings.media_root / "replays", ignore_errors=True)
