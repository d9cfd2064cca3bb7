"""A share that is erased takes its unfinished captures along, and leaves the clips."""

from __future__ import annotations

from datetime import timedelta

from app.access import quota
from app.captures import share_erasure
from app.cleaning import erasure
from app.context import Context
from app.models.schema import AuditEntry, Buffer
from tests.integration.captures.checking import accepted, captured, done, live_share
from tests.integration.captures.conftest import ADA
from tests.media_factory import Recording


async def test_captures_that_were_accepted_by_then_are_cancelled_and_later_ones_are_not(
    ctx: Context, recording: Recording
) -> None:
    async with live_share(ctx, recording, age=6.1, segments=3) as share:
        kept = await captured(ctx, ADA, last=2, tail="skip")
        going = await accepted(ctx, ADA, last=4)
        buffer = await ctx.store.rows(Buffer).find_one({"_id": share.buffer_id})
        assert buffer is not None
        await share_erasure.erase_share(ctx, ADA, buffer)
        assert (await done(ctx, going["_id"])).capture["status"] == "cancelled"
        await share_erasure.go_on(ctx, share.buffer_id)
        held = await quota.read(ctx.store, ctx.settings, "ada")
        assert held.reserved_bytes == 0
        assert kept.path is not None
        assert kept.path.exists()
        share.commit(2)  # the seconds from 6 to 10; the share was erased at 6.1, or later
        await share.indexed(2)
        await share_erasure.go_on_with_all(ctx)
        after = await captured(ctx, ADA, last=1, tail="skip")
        assert after.capture["status"] == "ready"
        assert after.clip is not None
        assert after.clip["delivered_start"] is not None
        assert after.clip["delivered_start"] >= share.start + timedelta(seconds=8)
        await erasure.promise(ctx.store, share.buffer_id, buffer["since"])
        await share_erasure.go_on_with_all(ctx)
        assert len(await share.rows()) == 1
    entry = await ctx.store.rows(AuditEntry).find_one({"action": "buffer_forgotten"})
    assert entry is not None
    assert (entry["identity"], entry["subject"]) == ("ada", share.buffer_id)
