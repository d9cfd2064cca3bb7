"""How a process that serves loads its modules: in little time, and so that it is not held up later.

Call `begin` before most are imported, and `end` when all are.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

from app import settings
from app.models import ProcessRole

UNUSED = ("rich", "pygments")
"""Packages that libraries take if they are there, for what nobody asks of a process that serves:
structlog would colour tracebacks with them, httpx has a command for the terminal. 80 modules, 4 MB.
Both are there for our own commands for people."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""For numpy, which starts a thread for each core where it is imported: we multiply no matrices, and
what has a thread is not forked. Our children have it, too."""

BY_ALL = (
    "app.context",
    "app.condition.pulses",
    "app.processes.liveness",
    "app.processes.stores",
    "app.tracing.collector",
    "numpy",
)
"""Modules of each process of the service, which the supervisor loads for all of them. None starts a
thread, which no forked process would have, or counts: where to is told only after the fork."""
BY_MOST = (
    "app.clips.clip_report",
    "app.recording.share_events",
    "httpx",
)
"""Further modules that api and worker share: they ask others, and read media. The indexer, which is
forked before, does without them."""
BY_ROLE = {
    ProcessRole.API: ("app.main", "app.serving.streaming_guest", "handlers", "uvloop"),
    ProcessRole.WORKER: ("app.worker",),
    ProcessRole.INDEXER: ("app.indexing.indexer",),
}
"""Further modules of a process, by its role."""


def begin() -> None:
    """Nothing is collected until `end`: what is imported stays. UNUSED can't be imported."""
    gc.disable()
    settings.add_to_environment(ONE_THREAD)
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # the import system's own way


def end() -> None:
    """Takes everything that is there now out of all later collections.

    The modules are more than 100,000 objects that live as long as the process, and looking through
    all of them for garbage stops it for 75 to 120 ms, every few hundred requests.
    """
    gc.freeze()
    gc.enable()


def load(modules: tuple[str, ...]) -> None:
    """Imports these."""
    for name in modules:
        import_module(name)
