"""What no community's own limits, and no user's own quota, may exceed. Pure."""

from __future__ import annotations

from app.errors import Invalid
from app.settings import Settings

_TOPS = {
    "max_concurrent": "max_concurrent_top",
    "max_concurrent_per_user": "max_concurrent_top",
    "retention_minutes": "retention_minutes_top",
    "quota_bytes": "quota_bytes_top",
}
"""By limit the setting that is its ceiling."""


def in_force(settings: Settings, name: str, own: float | None) -> float:
    """A limit: somebody's `own`, as far as its ceiling allows by now; None: the instance's."""
    if own is None:
        return float(getattr(settings, name))
    return min(own, float(getattr(settings, _TOPS[name])))


def check_ceilings(settings: Settings, **limits: float | None) -> None:
    """Raises Invalid, with the `ceiling`, if one of these limits is above its own; None never is.

    Names that have no ceiling are let through.
    """
    for name, value in limits.items():
        if name not in _TOPS or value is None:
            continue
        ceiling = getattr(settings, _TOPS[name])
        if value > ceiling:
            raise Invalid(
                f"{name}={value} is above {ceiling}, which {_TOPS[name].upper()} of this "
                "instance allows at most: ask for less, or whoever runs it",
                ceiling=ceiling,
            )
