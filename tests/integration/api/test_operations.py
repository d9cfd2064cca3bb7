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
from app.condition.history import COARSE_SECONDS, STEP_SECONDS, Sampler
from app.context import Context
from app.metrics import INDEX_LAG
from app.models import AuditAction, CaptureStatus, EventState
from app.models.schema import AuditEntry, Capture, OutgoingEvent, Sample, UserReplayQuota
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
    assert "e3" in await listed(http, "/audit", since="0254-10-21T13:12:54-01:00")
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
    quarter = int(now.timestamp()) // COARSE_SECONDS * COARSE_SECONDS
    ids = [quarter - hours * 3600 + beside for hours in (1, 2, 5, 7, 30, 170) for beside in (0, 15)]
    for at in ids:
        await ctx.store.create(Sample(id=at, media_lag_seconds=0.0, **numbers))
    for minutes, count in ((80, 2), (140, 4), (360, 6), (480, 4), (1440, 4), (10080, 5)):
        assert len(await history.read(ctx, minutes, now)) == count
    await Sampler(ctx).take()
    rows = await ctx.store.rows(Sample).find({"_id": {"$lte": max(ids)}}).to_list(None)
    coarse = [quarter - hours * 3600 for hours in (7, 30)]
    assert {row["_id"] for row in rows} == {*ids[:6], *coarse}
    for wrong in ("0", "10081", "x"):
        answer = await http.get(f"/operations/history?minutes={wrong}", headers=INSTANCE_ADMIN)
        assert answer.status_code == 422
    told = await http.get("/operations/history?minutes=1440", headers=INSTANCE_ADMIN)
    assert told.json()["step_seconds"] == COARSE_SECONDS


async def test_it_is_told_when_the_disk_will_be_full(ctx: Context) -> None:
    """If it goes on as in the last hours; not where it empties, or would take weeks."""
    quarter = int(datetime.now(UTC).timestamp()) // COARSE_SECONDS * COARSE_SECONDS
    now = datetime.fromtimestamp(quarter, UTC)
    least = ctx.settings.free_space_min_bytes

    async def told(*free: int, left: int | None = None) -> datetime | None:
        await ctx.store.rows(Sample).delete_many({})
        for place, each in enumerate(free):
            at = quarter - COARSE_SECONDS * (len(free) - 1 - place)
            rest = {"buffered_bytes": 0, "clips_bytes": 0, "active_sessions": 0}
            await ctx.store.create(
                Sample(id=at, free_disk_bytes=least + each, media_lag_seconds=0.0, **rest)
            )
        return await history.disk_full_at(ctx, now, least + (free[-1] if left is None else left))

    full_at = await told(60 * 10**9, 55 * 10**9, 50 * 10**9, 45 * 10**9, 40 * 10**9)
    expected = now + timedelta(hours=2)
    assert full_at is not None
    assert abs(full_at - expected) < timedelta(seconds=1)
    assert await told(40 * 10**9, 45 * 10**9, 50 * 10**9, 60 * 10**9) is None
    assert await told(*(10**12 - place for place in range(8))) is None
    assert await told(-5, -6, -7, -8) == now
    assert await told(-5, -6, -7, -8, left=60 * 10**9) is None, "there is room again"
    assert await told(8, 7, 6, 5, left=-1) == now
    assert await told(5) is None


async def test_what_became_of_captures_is_counted_hour_by_hour(
    http: httpx.AsyncClient, ctx: Context
) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    ended: list[tuple[float, CaptureStatus, str | None]] = [
        (0, CaptureStatus.READY, None),
        (59, CaptureStatus.READY, None),
        (30, CaptureStatus.FAILED, "gave-up"),
        (31, CaptureStatus.FAILED, "gave-up"),
        (32, CaptureStatus.FAILED, "media-deleted"),
        (33, CaptureStatus.CANCELLED, None),
        (60, CaptureStatus.READY, None),
        (-8 * 1440, CaptureStatus.READY, None),
    ]
    for number, (minutes, status, reason) in enumerate(ended):
        fields: dict[str, Any] = dict.fromkeys(("requested_start", "requested_end"), hour)
        fields |= dict.fromkeys(("window_start", "window_end", "wait_until", "accepted_at"), hour)
        fields |= dict.fromkeys(("clip_id", "buffer_id", "caller", "room", "room_sid"), "x")
        await ctx.store.create(
            Capture(id=f"c{number}", identity="x", status=status, reason=reason,
                    finished_at=hour + timedelta(minutes=minutes), **fields)
        )  # fmt: skip
    told = (await http.get("/operations/captures", headers=INSTANCE_ADMIN)).json()["items"]
    first, second = told
    assert datetime.fromisoformat(first["at"]) == hour
    failures = [{"reason": "gave-up", "count": 2}, {"reason": "media-deleted", "count": 1}]
    counts = {"ready": 2, "cancelled": 1, "failed": 3, "failures": failures}
    assert first == {"at": first["at"]} | counts
    assert (second["ready"], second["failed"], second["failures"]) == (1, 0, [])


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
