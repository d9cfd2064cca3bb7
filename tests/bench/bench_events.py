"""What the service does about LiveKit's events: answers, and starts of egress."""

from __future__ import annotations

from tests.bench import bench_start, bench_webhooks
from tests.bench.ground import Ground
from tests.bench.livekit_stub import livekit_stub
from tests.bench.report import Result
from tests.bench.running import installation


async def run(ground: Ground) -> list[Result]:
    async with livekit_stub(ground.scratch) as stub:
        roles = ("api", "worker", "indexer")
        async with installation(ground, "events", roles, livekit_url=stub.url) as running:
            stub.tell(running.settings.base_url)
            results = await bench_start.run(ground, running, stub)
            results += await bench_webhooks.run(ground, running, "whole_service")
        if not ground.quick:
            async with installation(ground, "events", ("api",), livekit_url=stub.url) as running:
                results += await bench_webhooks.run(ground, running, "api_alone")
    return results
