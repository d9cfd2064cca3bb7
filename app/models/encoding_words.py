"""Why a share is recorded in another encoding than the configured one."""

from __future__ import annotations

from enum import StrEnum


class EncodingWhy(StrEnum):
    """Why a share is recorded in a cheaper encoding than ENCODING."""

    BEHIND = "egress-behind"
    """What egress wrote of it fell further and further behind."""
    OVERLOADED = "egress-overloaded"
    """Its egress ended because it could not keep up."""
    STEPPED_BEFORE = "stepped-before"
    """Within the hour before it began, egress could not keep up with a share."""

    @classmethod
    def steps(cls) -> list[EncodingWhy]:
        """Those of a share that egress could not keep up with itself."""
        return [cls.BEHIND, cls.OVERLOADED]
