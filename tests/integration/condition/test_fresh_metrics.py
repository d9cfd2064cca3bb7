"""A service that has just begun tells every counter, with each of its words, at 0."""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path

import httpx
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.api.operation import guarded
from app.main import ROUTES
from app.models import CaptureStatus, EncodingWhy, Stopper, Why
from app.models.metric_words import (
    ConnectionRefusal,
    ErrorKind,
    StartOutcome,
    StoreName,
    StoreTrouble,
    WebhookResult,
)
from app.processes.free_ports import choose_ports
from handlers import router
from tests.integration.processes.test_supervisor import start
from tests.integration.work.test_jobs import ASKED_FOR, RECUR
from tests.plain_http import plain_client
from tests.waiting import PATIENCE_SECONDS, wait_for

Samples = dict[tuple[str, ...], float]


def told(text: str) -> dict[str, Samples]:
    """Each counter's samples, by the words of their labels."""
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.type == "counter" else ():
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


WORDS: dict[str, set[tuple[str, ...]]] = {
    "webhooks": set(product(router.events, WebhookResult)),
    "egress_starts": set(product(StartOutcome)),
    "refusals": {(why,) for why in Why if why.refuses},
    "encoding_steps": {(why,) for why in EncodingWhy.steps()},
    "deletions": set(product(Stopper)),
    "errors": set(product(ErrorKind)),
    "credentials_refused": {(route.path,) for route in guarded(ROUTES)},
    "items_failed": set(product({*ASKED_FOR, *RECUR, "none"})),
    "connections_refused": set(product(ConnectionRefusal)),
    "store_troubles": set(product(StoreName, StoreTrouble)),
    "captures": {(each,) for each in ("ready", "failed", "cancelled")},
}
"""By counter, in the order of its labels."""


def test_the_words_of_every_labelled_counter_are_known() -> None:
    counters = [each for each in vars(metrics).values() if isinstance(each, Counter)]
    assert {each._name.removeprefix("replay_buffer_") for each in counters if each._labelnames} == (
        WORDS.keys()
    )
    assert {CaptureStatus.READY, CaptureStatus.FAILED, CaptureStatus.CANCELLED} == {
        each for (each,) in WORDS["captures"]
    }


async def test_every_counter_is_there_from_the_start(tmp_path: Path) -> None:
    port = choose_ports(["metrics"], tmp_path / "ports.json")["metrics"]
    service = await start(tmp_path, METRICS_PORT=str(port))
    try:
        await wait_for(service.answers)

        async def all_told() -> dict[str, Samples] | None:
            async with plain_client() as client:
                try:
                    text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
                except httpx.TransportError:
                    return None
            found = told(text)
            # the worker may begin after the api
            return found if ("cleanup",) in found["replay_buffer_items_failed_total"] else None

        found = await wait_for(all_told)
    finally:
        service.process.terminate()
        await asyncio.wait_for(service.process.wait(), PATIENCE_SECONDS)
    for name, words in WORDS.items():
        samples = found[f"replay_buffer_{name}_total"]
        assert samples.keys() == words, name
    # LiveKit is away here, and what asks for it may have been interrupted by now
    moved = {
        (name, words)
        for name, samples in found.items()
        for words, value in samples.items()
        if name.startswith("replay_buffer_") and value
    }
    assert moved <= {("replay_buffer_errors_total", ("job_interrupted",))}
