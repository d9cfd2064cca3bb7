"""Whose prefix of a bucket it is: an object in it tells, so that it is no two's. Pure."""

from __future__ import annotations

from app.errors import StoreRefuses
from app.settings.store_place import StorePlace

INSTANCE = ".instance"
PROBE = ".probe"
"""Objects right below a prefix: whose it is, and what tries out the rights that we have."""
PROBED = b"probe"
SMALL_BYTES = 1024
"""What is read of either: more than they have."""


def check_owner(place: StorePlace, told: bytes | None, instance: str) -> None:
    """Raises StoreRefuses if what INSTANCE holds there is not this installation's id."""
    owner = (told or b"").decode(errors="replace").strip()
    if owner != instance:
        raise StoreRefuses(
            f"{place} is of installation {owner!r:.50}, and this one is {instance!r}: name another "
            f"prefix, or the media root that what is there belongs to; of one that is lost, a new "
            f"one is told by its file .instance"
        )
