"""A place for clips that is away, or refuses us: told, and asked again after a while."""

from __future__ import annotations

import structlog

from app import metrics
from app.context import Context
from app.errors import StoreAway, StoreRefuses
from app.models.metric_words import ErrorKind

AGAIN_SECONDS = 10.0

log = structlog.get_logger()


async def require_root(ctx: Context) -> None:
    """Returns if the folder is there that files are made in. Raises StoreAway if it is not."""
    try:
        await ctx.require_media_root()
    except OSError as error:
        raise StoreAway(error.strerror or str(error)) from error


def noted(error: StoreAway) -> float:
    """Logs and counts it. In how many seconds to ask again."""
    refuses = isinstance(error, StoreRefuses)
    kind = ErrorKind.CLIP_STORE_REFUSES if refuses else ErrorKind.CLIP_STORE_AWAY
    metrics.ERRORS.labels(kind).inc()
    log.warning(kind.value, error=error.detail, again_in_seconds=AGAIN_SECONDS)
    return AGAIN_SECONDS
