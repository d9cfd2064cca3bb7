"""What the service gives of recorded media: first bytes, and captures by request."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.bench import bench_first_byte, bench_request, bench_ten
from tests.bench.ground import Ground
from tests.bench.report import Result
from tests.bench.running import installation

HOUR = 6
"""So many times what was recorded."""


async def run(ground: Ground) -> list[Result]:
    recorded = ground.full_hd
    newest = datetime.now(UTC) - timedelta(seconds=1)
    async with installation(
        ground,
        "served",
        ("api", "worker"),
        media_root=recorded.media_root,
        before=lambda ctx: recorded.put(ctx.store, newest, HOUR),
    ) as running:

        def measured() -> list[Result]:
            results = bench_first_byte.run(ground, running, newest, HOUR)
            results += bench_request.run(ground, running)
            return results + bench_ten.run(ground, running)

        return await asyncio.to_thread(measured)
