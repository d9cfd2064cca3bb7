"""Checks of what should run: processes, jobs, egress workers."""

from __future__ import annotations

from app.condition import health
from app.condition.findings import CheckResult
from app.context import Context
from app.models import ProcessRole

EGRESS_CHANNEL = "EgressInternal|StartEgress|REQ"
"""An egress worker listens on it; livekit-server on the other one (psrpc over Redis)."""
SERVER_CHANNEL = "IOInfo|CreateEgress|REQ"


async def process(ctx: Context, role: ProcessRole) -> CheckResult:
    """Whether a process of a role runs."""
    state = await health.pulse(ctx, role)
    if state != health.OK:
        return CheckResult("fail", state, f"start `python -m app {role}`")
    return CheckResult("ok", "runs")


async def jobs(ctx: Context) -> CheckResult:
    """Whether the jobs that recur have had whole rounds of late."""
    if late := await health.late_jobs(ctx):
        return CheckResult("fail", late, health.LATE_JOBS_ADVICE)
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
