"""The first byte of replay.mp4: a window of any length, served without being written.

Each request comes over a connection of its own and asks for a window that nobody has asked for
before, which begins anywhere in the buffer; `again` asks for the same one once more. The process's
very first answer, which finds everything cold, is not measured.
"""

from __future__ import annotations

import http.client
import random
import time
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from tests.bench.ground import LONGEST_SECONDS, Ground
from tests.bench.report import Result, result
from tests.bench.requesting import SHARER
from tests.bench.running import Installation

REQUESTS = 100
_TIMEOUT_SECONDS = 60


def run(ground: Ground, running: Installation, newest: datetime, times: int) -> list[Result]:
    """The media ends at `newest`, and is what was recorded so many times after another."""
    results: list[Result] = []
    _first_byte_ms(running.settings.base_url, _path(ground, newest, 1), running.headers(SHARER))
    for seconds in ground.pick(quick=(30, LONGEST_SECONDS), full=(30, 120, 300, 600, 3600)):
        ground.say(f"first byte of {seconds} s")
        results += _measure(ground, running, seconds, newest, times)
    return results


def _measure(
    ground: Ground, running: Installation, seconds: int, newest: datetime, times: int
) -> list[Result]:
    recorded = ground.full_hd
    headers = running.headers(SHARER)
    spare = recorded.seconds * times - seconds
    offsets = random.Random(seconds)
    waits: dict[str, list[float]] = {"first": [], "again": []}
    few = REQUESTS if seconds == LONGEST_SECONDS else REQUESTS // 4
    for _ in range(ground.pick(quick=few, full=3 * REQUESTS)):
        end = newest - timedelta(seconds=round(offsets.uniform(0, spare), 3))
        path = _path(ground, end, seconds)
        for taken in waits.values():
            taken.append(_first_byte_ms(running.settings.base_url, path, headers))
    params = {"seconds": seconds}
    return [result("first_byte", way, params, "ms", taken) for way, taken in waits.items()]


def _path(ground: Ground, end: datetime, seconds: float) -> str:
    window = {"start": _instant(end - timedelta(seconds=seconds)), "end": _instant(end)}
    return f"/buffers/{ground.full_hd.buffer['_id']}/replay.mp4?{urlencode(window)}"


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _first_byte_ms(base_url: str, path: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK or not answer.read(1):
            raise RuntimeError(f"{path}: {answer.status} {answer.read(500)!r}")
        return (time.perf_counter() - began) * 1000
    finally:
        connection.close()
