"""The logs of programs that are not ours, so large and no larger.

Whoever reaches the port of the embedded database writes into its log: SecantusDB (0.7.0b3) tells of
each message that is none, as long as they come.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import structlog

LOG_BYTES = 1 << 20
"""What a log has beyond that is moved aside, in place of what was moved before."""
LOOK_SECONDS = 5.0

log = structlog.get_logger()


async def keep_bounded(log_paths: Collection[Path]) -> None:
    """Looks at the logs now and then, until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for log_path in log_paths:
            try:
                bound(log_path)
            except OSError as error:
                log.warning("log_not_bounded", path=str(log_path), error=str(error))


def bound(log_path: Path) -> None:
    """Moves aside what a log has too much of. Its writer goes on at the end of the same file."""
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES:
        shutil.copyfile(log_path, log_path.with_suffix(".log.1"))
        os.truncate(log_path, 0)
