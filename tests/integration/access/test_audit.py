"""The audit forgets with time, and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.access import audit
from app.context import Context
from app.models import AuditAction
from app.models.schema import AuditEntry
from app.settings import Settings
from tests.integration.conftest import MakeSettings


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(audit_days=2)


async def test_entries_are_kept_for_audit_days(ctx: Context) -> None:
    for hours in (0, 47, 49, 24 * 400):
        at = datetime.now(UTC) - timedelta(hours=hours)
        entry = AuditEntry(
            id=f"{hours} h", at=at, identity="ann", action=AuditAction.CAPTURED, subject="c"
        )
        assert await ctx.store.create(entry)
    await audit.forget_old(ctx.store, ctx.settings)
    left = [row["_id"] async for row in ctx.store.rows(AuditEntry).find({}, {"_id": 1})]
    assert sorted(left) == ["0 h", "47 h"]
