"""What a quota's row should say, given the clips there are: for any row and any clips."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.access.accounts import corrected
from tests.rows import PartOfRow

SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 1000), max_size=6)
UNFINISHED = st.sets(st.sampled_from("abcdef"))


@given(SIZES, SIZES, st.integers(-5, 5000), st.integers(-5, 5000), SIZES, UNFINISHED)
def test_sums_are_sums_and_every_clip_counts_once(
    charges: dict[str, int],
    reservations: dict[str, int],
    used: int,
    held: int,
    clips: dict[str, int],
    unfinished: set[str],
) -> None:
    """What is on its way is left alone; all else is the clips, and nothing but the clips."""
    found: PartOfRow = {"charges": charges, "reservations": reservations} | {
        "used_bytes": used,
        "held_bytes": held,
    }
    right = corrected(found, clips, unfinished)
    assert right["used_bytes"] == sum(right["charges"].values())
    assert right["held_bytes"] == right["used_bytes"] + sum(right["reservations"].values())
    moving = (charges.keys() | reservations.keys()) & unfinished
    for clip in moving:
        assert right["charges"].get(clip) == charges.get(clip)
        assert right["reservations"].get(clip) == reservations.get(clip)
    assert {c: s for c, s in right["charges"].items() if c not in moving} == {
        c: s for c, s in clips.items() if c not in moving
    }
    assert right["reservations"].keys() <= moving
    assert corrected(right, clips, unfinished) == right
