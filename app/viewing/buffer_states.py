"""The states that a list of buffers may be narrowed to. Pure."""

from __future__ import annotations

from collections.abc import Collection

from app.models import BufferRow, BufferState, Why

ACTIVE = frozenset(BufferState) - {BufferState.ENDED, BufferState.REFUSED}
"""The states of a share that is recorded, or about to be."""
GROUPS = {"active": ACTIVE}
"""Names for several states at once."""
NAMES = (*sorted(ACTIVE), BufferState.ENDED, BufferState.REFUSED, *GROUPS)


def read(text: str) -> frozenset[str]:
    """The states that comma separated NAMES mean."""
    return frozenset(state for name in text.split(",") for state in GROUPS.get(name, {name}))


def go_on(states: Collection[str]) -> bool:
    """Whether all shares in these states go on."""
    return BufferState.ENDED not in states


def may_be(row: BufferRow, states: Collection[str]) -> bool:
    """Whether a buffer is in one of these states, as far as its row tells.

    Rows say whether a share is over, refused or active. Which of the active states it has, only its
    media and the time say: so its timeline must be looked at, too.
    """
    if row.get("ended_at") is not None:
        return BufferState.ENDED in states
    if row.get("why") in (None, *Why.trying()):
        return bool(ACTIVE & set(states))
    return BufferState.REFUSED in states
