"""The logs of programs that are not ours, so large and no larger.

Whoever reaches the port of the embedded database writes into its log: SecantusDB (0.7.0b3) tells of
each message that is none, as long as they come.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from pathlib import Path

import structlog

LOG_BYTES = 1 << 20
"""A log with more begins anew; so much of its end is put aside, in place of what was before."""
LOOK_SECONDS = 5.0

log = structlog.get_logger()


async def keep_bounded(log_paths: Collection[Path]) -> None:
    """Looks at the logs now and then, until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for log_path in log_paths:
            bound(log_path)


def bound(log_path: Path) -> None:
    """Begins a log anew that is too large. Its writer goes on at the end of the same file."""
    try:
        if not log_path.exists() or log_path.stat().st_size <= LOG_BYTES:
            return
        try:
            with log_path.open("rb") as whole:
                whole.seek(-LOG_BYTES, os.SEEK_END)
                log_path.with_suffix(".log.1").write_bytes(whole.read(LOG_BYTES))
        finally:  # on a full disk, too
            os.truncate(log_path, 0)
    except OSError as error:
        log.warning("log_not_kept", path=str(log_path), error=str(error))
