"""Whether a request comes too soon after others: of its caller, or of those who may not call."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request

from app import metrics
from app.api import web_state
from app.api.call import Call
from app.api.token_buckets import ALLOWANCES, Cost, Kept
from app.errors import ReplayError, TooManyRequests, Unauthorized
from app.work.parties import party

log = structlog.get_logger()


def charge(call: Call[Any], cost: Cost, kept: Kept | None) -> None:
    """Counts a request that is let in, and what is kept of it. Raises TooManyRequests."""
    user = call.user
    wait = call.state.rates.take(cost, user, call.address if call.is_signed else None)
    if wait:
        raise TooManyRequests(
            f"these are more requests (of the kind {cost}) than one user may send in a minute: "
            f"wait {wait:.1f} s",
            retry_after=round(wait, 3),
        )
    if kept is not None:
        count_kept(call, kept)


def count_kept(call: Call[Any], kept: Kept) -> None:
    """Counts something more that is kept of a request. Raises TooManyRequests."""
    if wait := call.state.rates.keep(kept, call.user):
        hours = ALLOWANCES[kept][1]
        raise TooManyRequests(
            f"these are more requests (of the kind {kept}) than are kept of one user in "
            f"{hours:g} h: wait {wait:.0f} s",
            retry_after=round(wait, 3),
        )


def refusal(request: Request, path: str, error: Unauthorized) -> ReplayError:
    """What to answer to credentials that are not valid, sent to `path`.

    A flood of them from one address is counted, and no longer logged. Good ones from there are
    served all the same: the address of a proxy or a company stands for many.
    """
    metrics.CREDENTIALS_REFUSED.labels(path).inc()
    peer = web_state.peer(request)
    rates = web_state.of(request).rates
    wait = rates.refuse(party(peer))
    if wait:
        return TooManyRequests(
            f"too many requests without valid credentials came from {peer}: wait {wait:.1f} s",
            retry_after=round(wait, 3),
        )
    if rates.refused_lines.take():
        log.info("credentials_refused", reason=error.detail, peer=peer)
    return error
