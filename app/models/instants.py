"""Instants before and after all others. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the clocks of machines begin: nothing that a row tells is older."""
FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""After whatever a row tells; MongoDB and text take it as they take any other."""
FOREVER = datetime.max.replace(tzinfo=UTC)
"""Without an end. For comparisons in memory: nothing can be added to it."""
