"""Who may call an operation, where having a token is not enough."""

from __future__ import annotations

from app.access import management
from app.api import share_lookup
from app.api.call import Call


async def admins(call: Call[None]) -> None:
    """Administrators of the instance. Raises NotPermitted."""
    management.check_admin(call.caller)


async def managers(call: Call[None]) -> None:
    """Who manages the community in the path. Raises NotPermitted, NotFound, Invalid."""
    ctx = call.ctx
    await management.check(ctx.store, ctx.settings, call.caller, call.name("community"))


async def viewers(call: Call[None]) -> None:
    """Who sees the buffer in the path. Raises NotFound."""
    await share_lookup.seen(call, call.path["buffer_id"])
