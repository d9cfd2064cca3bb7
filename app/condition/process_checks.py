"""Checks of what should run: processes, jobs, egress workers, targets of events."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from app.buffer import clock
from app.condition import health, pulses
from app.condition.findings import CheckResult
from app.context import Context
from app.models import EventState, ProcessRole, SessionRole
from app.models.schema import EgressSession, OutgoingEvent
from app.store import before, dated

EGRESS_CHANNEL = "EgressInternal|StartEgress|REQ"
"""An egress worker listens on it; livekit-server on the other one (psrpc over Redis)."""
SERVER_CHANNEL = "IOInfo|CreateEgress|REQ"

EGRESS_CLOCK_SECONDS = 2.0
_CLOCK_ADVICE = "run NTP on egress's machine and on this one; buffers and clips go by their clocks"
LATE_EVENT = timedelta(minutes=1)
_MOST_EVENTS = 1000


async def process(ctx: Context, role: ProcessRole) -> CheckResult:
    """Whether a process of a role runs."""
    if not await pulses.is_alive(ctx, role):
        return CheckResult("fail", health.NONE_RUNS, f"start `python -m app {role}`")
    return CheckResult("ok", "runs")


async def jobs(ctx: Context) -> CheckResult:
    """Whether the jobs that recur have had whole rounds of late."""
    if trouble := await health.job_trouble(ctx):
        return CheckResult("fail", *trouble)
    return CheckResult("ok", "each that recurs has had a whole round of late")


async def egress_workers(ctx: Context) -> CheckResult:
    """Whether an egress worker listens to LiveKit."""
    servers, workers = await ctx.queue.listeners(SERVER_CHANNEL, EGRESS_CHANNEL)
    if not servers:
        return CheckResult(
            "unknown",
            "LiveKit uses another Redis than we do, so its workers can't be counted",
            "see that the egress service runs",
        )
    if not workers:
        return CheckResult(
            "fail", "no egress worker listens", "start livekit/egress with LiveKit's Redis"
        )
    return CheckResult("ok", f"{workers} listen")


async def egress_clock(ctx: Context) -> CheckResult:
    """Whether the clocks of those egresses agree with ours that record now."""
    live = {"role": {"$in": list(SessionRole)}, "ended_at": None, "active_at": dated()}
    rows = await ctx.store.rows(EgressSession).find(live).to_list(None)
    if not rows:
        return CheckResult("unknown", "nothing is recorded now that would tell")
    if doubted := [row for row in rows if row["clock_ns"] is not None and not row["clock_exact"]]:
        return CheckResult(
            "warn",
            f"{len(doubted)} of {len(rows)} sessions go by our clock: egress's is not known, or "
            f"more than {clock.SKEW.total_seconds():g} s from ours",
            _CLOCK_ADVICE,
        )
    ahead = max((clock.ahead_seconds(row) for row in rows), key=abs)
    if abs(ahead) > EGRESS_CLOCK_SECONDS:
        return CheckResult("warn", f"egress's clock is {ahead:+.1f} s from ours", _CLOCK_ADVICE)
    return CheckResult("ok", f"egress's agrees with ours within {EGRESS_CLOCK_SECONDS:g} s")


async def events(ctx: Context) -> CheckResult:
    """Whether the targets of events take what they are sent."""
    now = datetime.now(UTC)
    late = {"state": EventState.PENDING, "created_at": before(now - LATE_EVENT)}
    found = ctx.store.rows(OutgoingEvent).find(late, {"targets": 1, "created_at": 1})
    waiting: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in await found.limit(_MOST_EVENTS).to_list():
        for name, each in row["targets"].items():
            if each["state"] == EventState.PENDING:
                waiting[name].append((row["created_at"], each["last_error"]))
    if not waiting:
        return CheckResult("ok", "none waits for its target for long")
    told = []
    for name, events_of in sorted(waiting.items()):
        since, error = min(events_of)
        seconds = (now - since).total_seconds()
        why = error or "it has not been asked, or answers slowly"
        told.append(f"{name}: {len(events_of)} wait, the first for {seconds:.0f} s ({why})")
    advice = "see that each answers 2xx within a second; GET /v1/events?state=pending lists them"
    return CheckResult("warn", "; ".join(told), advice)
