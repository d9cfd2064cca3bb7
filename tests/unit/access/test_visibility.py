"""Who sees whose buffer: one table."""

from __future__ import annotations

import pytest

from app.access.tokens import Caller
from app.access.visibility import may_forget, may_see, scope

SHARE = {"room": "standup", "identity": "ann"}

ANN = Caller("ann", room="standup")
ANN_ANYWHERE = Caller("ann")
ANN_ELSEWHERE = Caller("ann", room="retro")
BOB = Caller("bob", room="standup")
MODERATOR = Caller("mod", room="standup", room_admin=True)
MODERATOR_ELSEWHERE = Caller("mod", room="retro", room_admin=True)
BLIND_MODERATOR = Caller("mod", room="standup", room_admin=True, can_subscribe=False)
BLIND_ANN = Caller("ann", room="standup", can_subscribe=False)
OPERATOR = Caller("ops", instance_admin=True)
OPERATOR_IN_A_ROOM = Caller("ops", room="retro", instance_admin=True)


@pytest.mark.parametrize(
    ("caller", "sees", "forgets"),
    [
        (ANN, True, True),
        (ANN_ANYWHERE, True, True),
        (ANN_ELSEWHERE, False, False),
        (BLIND_ANN, True, True),
        (BOB, False, False),
        (MODERATOR, True, False),
        (MODERATOR_ELSEWHERE, False, False),
        (BLIND_MODERATOR, False, False),
        (OPERATOR, True, True),
        (OPERATOR_IN_A_ROOM, True, True),
    ],
)
def test_who_may_see_and_forget_anns_share(caller: Caller, sees: bool, forgets: bool) -> None:
    assert may_see(caller, **SHARE) is sees
    assert may_forget(caller, **SHARE) is forgets


def test_a_list_is_cut_to_what_each_of_its_rows_allows() -> None:
    """The filter of a list lets through exactly the rows that may be seen one by one."""
    rows = [(room, who) for room in ("standup", "retro") for who in ("ann", "bob", "mod", "ops")]
    for caller in (ANN, ANN_ANYWHERE, BOB, MODERATOR, BLIND_MODERATOR, OPERATOR):
        matching = scope(caller).items()
        listed = [row for row in rows if matching <= {"room": row[0], "identity": row[1]}.items()]
        assert listed == [row for row in rows if may_see(caller, room=row[0], identity=row[1])]
