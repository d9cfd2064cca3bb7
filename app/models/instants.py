"""Instants before and after all others, and how an instant is written. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the clocks of machines begin: nothing that a row tells is older."""
FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""After whatever a row tells; MongoDB and text take it as they take any other."""
FOREVER = datetime.max.replace(tzinfo=UTC)
"""Without an end. For comparisons in memory: nothing can be added to it."""


def written(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-03T10:15:00.000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
