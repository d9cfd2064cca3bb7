"""Who may call an operation, where having a token is not enough."""

from __future__ import annotations

from app.access import management
from app.api import share_lookup
from app.api.call import Call
from app.api.operation import gate
from app.errors import Invalid, NotFound, NotPermitted


@gate(NotPermitted)
async def admins(call: Call[None]) -> None:
    """Administrators of the instance."""
    management.check_admin(call.caller)


@gate(NotPermitted, NotFound, Invalid)
async def managers(call: Call[None]) -> None:
    """Who manages the community in the path."""
    ctx = call.ctx
    await management.check(ctx.store, ctx.settings, call.caller, call.name("community"))


@gate(NotPermitted, NotFound, Invalid)
async def community_admins(call: Call[None]) -> None:
    """Admins of the community in the path, about somebody else."""
    await management.check_administrates(call.ctx.store, call.caller, call.name("community"))
    management.check_anothers(call.caller, call.name("identity"))


@gate(NotFound)
async def viewers(call: Call[None]) -> None:
    """Who sees the buffer in the path."""
    await share_lookup.seen(call, call.path["buffer_id"])
