"""How a process that serves loads its modules."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from app.processes import loading

SERVING = """
from app import context
from app.condition import pulses
from app.processes import liveness, stores
from app.tracing import collector
"""
WEB_SERVER = {"uvicorn", "starlette", "httptools"}
ASKS_OTHERS = {"livekit", "aiohttp", "httpx"}
MEDIA = {"av", "ffmpeg", "PIL"}
BUCKETS = {"obstore", "awscrt"}
TEXTS = {"rich", "pygments", "jinja2"}
TRACING = {"opentelemetry", "requests"}

# What a process does not load before it serves: what only others work with, or only where a setting
# asks for it. Whatever is loaded costs time at every start, and memory for good.
LEFT_OUT = {
    "from app.processes import supervisor": {"numpy", "odmantic", "arq"}
    | (WEB_SERVER | ASKS_OTHERS | MEDIA | BUCKETS | TEXTS | TRACING),
    SERVING + "from app.indexing import indexer": WEB_SERVER
    | ASKS_OTHERS
    | MEDIA
    | BUCKETS
    | TEXTS
    | TRACING,
    SERVING + "from app import worker": WEB_SERVER | BUCKETS | TEXTS | TRACING | {"av"},
    SERVING + "from app import main": MEDIA | BUCKETS | TRACING | {"rich", "pygments"},
}


def test_what_is_loaded_is_not_looked_through_again() -> None:
    """Nothing is collected meanwhile; later collections free the garbage of what came later."""
    before = len(gc.get_objects())
    try:
        loading.begin()
        assert not gc.isenabled()
        loading.end()
        assert gc.isenabled()
        assert len(gc.get_objects()) < before / 10
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("imports", LEFT_OUT, ids=["supervisor", "indexer", "worker", "api"])
def test_a_process_loads_only_what_it_works_with(imports: str) -> None:
    code = f"""
from app.processes import loading
loading.begin()
{imports}
import json, sys
print(json.dumps([name for name, module in sys.modules.items() if module]))
"""
    argv = [sys.executable, "-c", code]
    told = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout
    assert set(json.loads(told)) & LEFT_OUT[imports] == set()
