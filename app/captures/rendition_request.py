"""The request of a rendition: which part of a clip, in which format. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.captures.rendition_kinds import KINDS
from app.errors import Invalid
from app.models import RenditionFormat
from app.models.input_types import PlaySeconds, Seconds

LONGEST_SECONDS = 15.0
"""Of a format that is a picture which moves."""
SHORTEST_SECONDS = 0.05
"""About a picture."""


class RenditionRequest(BaseModel):
    """What is to be made of the clip; moments of its play time, as numbers or texts as `1m30s`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,
        json_schema_extra={
            "examples": [
                {"format": RenditionFormat.GIF, "start": 2.5, "end": "10s"},
                {"format": RenditionFormat.MP4_720P},
                {"format": RenditionFormat.SIDE_BY_SIDE},
            ]
        },
    )

    format: RenditionFormat = Field(
        description="`gif`, `webp`: moving pictures without sound, 480 pixels wide and high and "
        f"{LONGEST_SECONDS:g} s long at most; `mp4-720p`: with sound, 1280x720 pixels at most; "
        "`mp4-side-by-side`: the clip and up to three others of its moment in step, 1920x1080 at "
        "most, with the clip's sound, or that of the first that has any; always whole. No picture "
        "is larger than the clip's.",
    )
    start: PlaySeconds = Field(default=0.0, description="Where it begins.")
    end: Seconds | None = Field(
        default=None,
        description="Where it ends, later than `start`; default: where the clip does, or as late "
        "as the format lets it.",
        examples=[10],
    )

    def part_of(self, whole: float) -> tuple[float, float]:
        """The seconds [start, end) that are asked for of so many. Raises Invalid."""
        start = self.start
        if self.format == RenditionFormat.SIDE_BY_SIDE and (start or self.end is not None):
            raise Invalid(f"{self.format} is of the whole moment: leave start and end out")
        longest = whole if KINDS[self.format].is_film else LONGEST_SECONDS
        end = min(whole, start + longest if self.end is None else self.end)
        if start > end - SHORTEST_SECONDS:
            raise Invalid(
                f"start={start:g} leaves nothing before the end at {end:g} s: the clip plays for "
                f"{whole:.3f} s"
            )
        if end - start > longest + SHORTEST_SECONDS:
            raise Invalid(
                f"from {start:g} to {end:g} s are {end - start:.3f} s: {self.format} may have "
                f"{longest:g} at most"
            )
        return round(start, 3), round(min(end, start + longest), 3)
