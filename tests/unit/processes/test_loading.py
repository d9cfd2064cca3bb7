"""How a process that serves loads its modules."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from app.processes import loading

LOADED = """
import json, sys
from app.processes import loading
loading.begin()
{imports}
print(json.dumps(sorted(sys.modules)))
"""
SERVES = "from app import context; from app.condition import pulses; from app.processes import "
SERVES += "liveness, stores"
WEB_SERVER = {"uvicorn", "starlette", "httptools"}
LIVEKIT = {"livekit", "aiohttp", "google.protobuf"}
CLIENTS = {"httpx"}
CODECS = {"av", "ffmpeg", "PIL"}
BUCKETS = {"obstore", "awscrt"}
DRAWING = {"rich", "pygments", "jinja2"}

# What a process of each role does not load before it serves: it does not work with it, or only
# where a setting asks for it. Each costs every start, and memory for as long as the process runs.
LEFT_OUT = {
    "from app.processes import supervisor": WEB_SERVER
    | LIVEKIT
    | CLIENTS
    | CODECS
    | BUCKETS
    | DRAWING
    | {"numpy", "odmantic", "arq"},
    f"{SERVES}; from app.indexing import indexer": WEB_SERVER
    | LIVEKIT
    | CLIENTS
    | CODECS
    | BUCKETS
    | DRAWING,
    f"{SERVES}; from app import worker": WEB_SERVER | BUCKETS | DRAWING | {"av"},
    f"{SERVES}; from app import main": CODECS | BUCKETS | {"rich", "pygments"},
}


def test_what_is_loaded_is_not_looked_through_again() -> None:
    """Later collections see what came later, and free its garbage as ever."""
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
    argv = [sys.executable, "-c", LOADED.format(imports=imports)]
    told = subprocess.run(argv, capture_output=True, check=True, text=True).stdout
    assert set(json.loads(told)) & LEFT_OUT[imports] - set(loading.UNUSED) == set()
