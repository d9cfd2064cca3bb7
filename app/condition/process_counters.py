"""What the processes of the service count, added up."""

from __future__ import annotations

from prometheus_client import REGISTRY as PROCESS_REGISTRY
from prometheus_client import CollectorRegistry, multiprocess

from app.settings import counters_are_shared

_INDEX_LAG = "replay_buffer_index_lag_seconds"


def index_lag() -> tuple[float, int]:
    """All segments that were indexed: their lags in seconds, added up, and how many. Blocks."""
    total = {"sum": 0.0, "count": 0.0}
    for family in registry().collect():
        for sample in family.samples:
            _, _, part = sample.name.rpartition("_")
            if sample.name.startswith(_INDEX_LAG) and part in total:
                total[part] += sample.value
    return total["sum"], int(total["count"])


def registry() -> CollectorRegistry:
    """What the processes count: of all of them if they share a folder, else of this one."""
    if not counters_are_shared():
        return PROCESS_REGISTRY
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
