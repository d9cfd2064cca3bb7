"""How a process that serves loads its modules."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from app.models import ProcessRole
from app.processes import loading

WEB_SERVER = {"uvicorn", "starlette", "httptools"}
ASKS_OTHERS = {"livekit", "aiohttp", "httpx"}
MEDIA = {"av", "ffmpeg", "PIL"}
BUCKETS = {"obstore", "awscrt"}
TEXTS = {"rich", "pygments", "jinja2"}
TRACING = {"opentelemetry", "requests"}

# What a process does not load before it serves: what only others work with, or only where a setting
# asks for it. Whatever is loaded costs time at every start, and memory for good. The supervisor
# forks the others: it may not have begun a thread, nor count for them.
LEFT_OUT = {
    ProcessRole.SUPERVISOR: {"prometheus_client"}
    | (WEB_SERVER | MEDIA | BUCKETS | TEXTS | TRACING),
    ProcessRole.INDEXER: WEB_SERVER | ASKS_OTHERS | MEDIA | BUCKETS | TEXTS | TRACING,
    ProcessRole.WORKER: WEB_SERVER | BUCKETS | TEXTS | TRACING | {"av"},
    ProcessRole.API: MEDIA | BUCKETS | TRACING | {"rich", "pygments"},
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


@pytest.mark.parametrize("role", LEFT_OUT)
def test_a_process_loads_only_what_it_works_with(role: ProcessRole) -> None:
    own = loading.BY_ROLE.get(role, ("app.processes.supervisor",))
    if role is not ProcessRole.INDEXER:
        own = (*loading.BY_MOST, *own)
    code = f"""
import json, os, sys
from importlib import import_module
from app import __main__
from app.processes import loading
loading.begin()
for name in {(*loading.BY_ALL, *own)!r}:
    import_module(name)
threads = len(os.listdir("/proc/self/task"))
print(json.dumps([threads, [name for name, module in sys.modules.items() if module]]))
"""
    argv = [sys.executable, "-c", code]
    told = subprocess.run(argv, stdout=subprocess.PIPE, check=True, text=True).stdout
    threads, loaded = json.loads(told)
    assert set(loaded) & LEFT_OUT[role] == set()
    if role is ProcessRole.SUPERVISOR:
        assert threads == 1
