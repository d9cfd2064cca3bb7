"""What administrators of the instance look at: audit, events, history, the doctor's findings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.condition import history
from app.condition.checkup import HIDDEN, Checkup, secrets_of, without
from app.condition.findings import Finding
from app.condition.history import STEP_SECONDS, Sampler
from app.context import Context
from app.metrics import INDEX_LAG
from app.models import AuditAction, EventState
from app.models.schema import AuditEntry, OutgoingEvent, Sample, UserReplayQuota
from tests.integration.api.conftest import INSTANCE_ADMIN, ROOM, MakeShare
from tests.integration.conftest import MakeSettings

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


async def listed(http: httpx.AsyncClient, path: str, **asked: Any) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    while True:
        answer = await http.get(path, params=asked, headers=INSTANCE_ADMIN)
        assert answer.status_code == 200, answer.text
        found += [item["id"] for item in answer.json()["items"]]
        asked["next"] = answer.json()["next"]
        if asked["next"] is None:
            return found


async def test_the_audit_is_narrowed_by_who_what_and_when(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """Newest first, each entry once whatever the size of a page; entries of one instant too."""
    for number in range(7):
        entry = AuditEntry(
            id=f"e{number}",
            at=NOON + timedelta(minutes=number // 3),
            identity=("ann", "bob")[number % 2],
            action=(AuditAction.CLIP_DELETED, AuditAction.MEMBER_SET)[number % 2],
            subject=f"clip {number}",
        )
        assert await ctx.store.create(entry)
    everything = [f"e{number}" for number in reversed(range(7))]
    for limit in (1, 2, 3, 100):
        assert await listed(http, "/audit", limit=limit) == everything
    assert await listed(http, "/audit", identity="bob", limit=1) == ["e5", "e3", "e1"]
    assert await listed(http, "/audit", action="clip_deleted") == ["e6", "e4", "e2", "e0"]
    assert await listed(http, "/audit", subject="clip 3") == ["e3"]
    since, until = "2026-11-03T12:01:00Z", "2026-11-03T12:02:00Z"
    assert await listed(http, "/audit", since=since, limit=2) == ["e6", "e5", "e4", "e3"]
    assert await listed(http, "/audit", until=since) == ["e2", "e1", "e0"]
    both = {"since": since, "until": until, "limit": 1}
    assert await listed(http, "/audit", identity="ann", **both) == ["e4"]


async def test_dead_and_pending_events_are_paged(http: httpx.AsyncClient, ctx: Context) -> None:
    for number in range(5):
        due = NOON + timedelta(minutes=number // 2)
        event = OutgoingEvent(
            id=f"buffer_started:{number}", room=ROOM, room_sid="RM", identity="ann", number=number,
            event="buffer_started", data={}, created_at=NOON, next_try_at=due,
            state=EventState.DEAD if number else EventState.PENDING,
        )  # fmt: skip
        assert await ctx.store.create(event)
    dead = [f"buffer_started:{number}" for number in range(1, 5)]
    for limit in (1, 3, 100):
        assert await listed(http, "/events", limit=limit) == dead
    assert await listed(http, "/events", state="pending") == ["buffer_started:0"]


async def test_what_no_page_gave_as_next_is_refused(http: httpx.AsyncClient) -> None:
    for path in ("/audit", "/events"):
        for following in ("x", "2026", "MjAyNg==", "MjAyNiBl"):
            asked = {"next": following}
            found = await http.get(path, params=asked, headers=INSTANCE_ADMIN)
            assert (found.status_code, found.json()["type"]) == (422, "invalid")
            assert following in found.json()["detail"]


async def test_the_history_tells_what_was_so_at_each_step(
    http: httpx.AsyncClient, ctx: Context, share: MakeShare
) -> None:
    """However many workers take samples, there is one of an instant."""
    made = await share()
    await ctx.store.create(UserReplayQuota(id="ann", used_bytes=1000, held_bytes=1000))
    first, second = Sampler(ctx), Sampler(ctx)
    taken = await asyncio.gather(first.take(), second.take(), first.take(), second.take())
    path = "/operations/history?minutes=1"
    told = (await http.get(path, headers=INSTANCE_ADMIN)).json()
    assert told["step_seconds"] == STEP_SECONDS
    # Two where the tests' clock has just come to the next step.
    assert len(told["items"]) == sum(taken) <= 2
    item = told["items"][0]
    at = datetime.fromisoformat(item["at"])
    assert at.timestamp() % STEP_SECONDS == 0
    assert timedelta(0) <= datetime.now(UTC) - at < timedelta(minutes=1)
    assert item["buffered_bytes"] == sum(
        path.stat().st_size for each in made.folders for path in each.iterdir()
    )
    assert (item["clips_bytes"], item["active_sessions"]) == (1000, 1)
    assert item["free_disk_bytes"] > 0
    age = (datetime.now(UTC) - made.start).total_seconds() - 20
    assert item["media_lag_seconds"] == pytest.approx(age, abs=10)


async def test_the_index_lag_is_the_mean_of_what_was_indexed_in_between(ctx: Context) -> None:
    samples = ctx.store.rows(Sample)
    sampler = Sampler(ctx)

    async def next_lag() -> float | None:
        await samples.delete_many({})
        await sampler.take()
        row = await samples.find_one({})
        assert row is not None
        found: float | None = row["index_lag_seconds"]
        return found

    INDEX_LAG.observe(9.0)
    assert await next_lag() is None
    INDEX_LAG.observe(0.1)
    INDEX_LAG.observe(0.3)
    assert await next_lag() == pytest.approx(0.2)
    assert await next_lag() is None


async def test_old_samples_go_and_only_the_asked_ones_are_told(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    now = datetime.now(UTC)
    numbers: dict[str, Any] = {
        "free_disk_bytes": 1,
        "buffered_bytes": 2,
        "clips_bytes": 3,
        "active_sessions": 4,
    }
    for minutes in (5, 90, 359, 361, 600):
        at = int((now - timedelta(minutes=minutes)).timestamp()) // STEP_SECONDS * STEP_SECONDS
        await ctx.store.create(Sample(id=at, media_lag_seconds=0.0, **numbers))
    for minutes, count in ((60, 1), (120, 2), (360, 3)):
        assert len(await history.read(ctx, minutes, now)) == count
    await Sampler(ctx).take()
    assert await ctx.store.rows(Sample).count_documents({}) == 4
    for wrong in ("0", "361", "x"):
        answer = await http.get(f"/operations/history?minutes={wrong}", headers=INSTANCE_ADMIN)
        assert answer.status_code == 422


async def test_the_doctors_findings_are_told_with_what_to_do(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    """Asked several times at once the doctor runs once, and what it found is kept for a while."""
    path = "/operations/checks"
    answers = await asyncio.gather(*(http.get(path, headers=INSTANCE_ADMIN) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    told = answers[0].json()
    assert [answer.json() for answer in answers[1:]] == [told, told]
    items = {item["name"]: item for item in told["items"]}
    assert told["ok"] is False
    assert (items["mongo"]["ok"], items["mongo"]["advice"]) == (True, "")
    assert (items["worker"]["ok"], items["worker"]["level"]) == (False, "fail")
    assert items["worker"]["advice"] == "start `python -m app worker`"
    assert items["invariants"]["level"] == "ok"
    assert ctx.settings.livekit_api_secret.get_secret_value() not in answers[0].text


async def test_a_checkup_ends_at_its_deadline_and_says_so(make_settings: MakeSettings) -> None:
    """With what was found until then."""
    found = await Checkup(make_settings(), deadline_seconds=0.001).read()
    assert not found.ok
    assert found.findings[-1].name == "deadline"
    assert "python -m app doctor" in found.findings[-1].advice


def test_a_checkup_shows_no_secret(make_settings: MakeSettings) -> None:
    """Nor passwords of stores, which the texts of some errors hold as they stand in the URL."""
    settings = make_settings(metrics_token="the token" * 4)
    url = "redis://replay:s3cr%2Ft@127.0.0.1:6379/0"
    secrets = secrets_of(
        settings.model_copy(update={"redis_url": url, "mongo_url": "mongodb://127.0.0.1/x"})
    )
    key = settings.livekit_api_secret.get_secret_value()
    assert secrets == {"s3cr%2Ft", "s3cr/t", key, "the token" * 4}
    found = without(secrets, Finding("redis", "fail", f"{url}: refused s3cr/t", f"not {key}"))
    assert found.text.count(HIDDEN) == 3
    assert not [secret for secret in secrets if secret in found.text]
