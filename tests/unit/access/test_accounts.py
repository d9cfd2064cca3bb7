"""What a quota's row should say, given the clips there are: for any row and any clips."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.access.accounts import corrected
from tests.rows import PartOfRow

SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 1000), max_size=6)
MOVING = st.sets(st.sampled_from("abcdef"))


TURNS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), max_size=6)


@given(SIZES, SIZES, TURNS, st.integers(-5, 5000), st.integers(-5, 5000), SIZES, MOVING)
def test_sums_are_sums_and_every_clip_counts_once(
    charges: dict[str, int],
    reservations: dict[str, int],
    turns: dict[str, int],
    used: int,
    held: int,
    clips: dict[str, int],
    moving: set[str],
) -> None:
    """What comes or goes is left alone; all else is the clips, and nothing but the clips."""
    entries = {"charges": charges, "reservations": reservations, "turns": turns}
    found: PartOfRow = entries | {"used_bytes": used, "held_bytes": held}
    right = corrected(found, clips, moving)
    assert right["used_bytes"] == sum(right["charges"].values())
    assert right["held_bytes"] == right["used_bytes"] + sum(right["reservations"].values())
    left_alone = (charges.keys() | reservations.keys()) & moving
    for clip in left_alone:
        assert right["charges"].get(clip) == charges.get(clip)
        assert right["reservations"].get(clip) == reservations.get(clip)
    assert {c: s for c, s in right["charges"].items() if c not in left_alone} == {
        c: s for c, s in clips.items() if c not in left_alone
    }
    assert right["reservations"].keys() <= left_alone
    known = moving | clips.keys()
    assert right["turns"] == {clip: turn for clip, turn in turns.items() if clip in known}
    assert corrected(right, clips, moving) == right
