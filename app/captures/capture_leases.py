"""Who works on a capture: the lease in its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from app.captures import lifecycle, row_leases
from app.captures.row_leases import LEASE_SECONDS, LeasedRows, RowLease
from app.models import CaptureRow, CaptureStatus
from app.models.schema import Capture
from app.store import Store

ACCEPTANCE: str = CaptureStatus.ACCEPTING
"""The lease of the process that accepts a capture."""
CANCELLATION: str = CaptureStatus.CANCELLED
"""The lease of a cancelled capture, which is nobody's: the worker that had it has lost it."""

_CAPTURES = LeasedRows(Capture, "lease", "lease_until", "attempts")


class LeaseFields(TypedDict):
    """The fields of a capture's row that say who has it, and until when."""

    lease: str | None
    lease_until: datetime | None


def free(in_seconds: float = LEASE_SECONDS) -> LeaseFields:
    """Of a capture that nobody has: not taken within `in_seconds`, it is asked for again."""
    return {"lease": None, "lease_until": row_leases.until(in_seconds)}


async def take(store: Store, capture_id: str) -> tuple[CaptureRow, Lease] | None:
    """The row and its lease; None if it is done, gone, or somebody else's."""
    if (taken := await _CAPTURES.take(store, capture_id)) is None:
        return None
    row, token = taken
    return row, Lease(store, capture_id, token)


class Lease(RowLease[CaptureRow]):
    """A taken capture."""

    def __init__(self, store: Store, capture_id: str, token: str) -> None:
        super().__init__(store, _CAPTURES, capture_id, token)
        self._store = store
        self._token = token

    async def move(self, to: CaptureStatus, fields: Mapping[str, Any]) -> CaptureStatus:
        """Brings the capture into another state if it is ours. Raises Lost if not."""
        moved = await lifecycle.move(self._store, self.row_id, to, fields, lease=self._token)
        if moved is None:
            raise self.lose()
        return moved
