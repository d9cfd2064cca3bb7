"""How the installation was."""

from __future__ import annotations

from odmantic import Field, Model

from app.models.condition_rows import SampleRow
from app.models.stored import Stored


class Sample(Model, Stored[SampleRow]):
    """What was so at an instant. `id`: Unix time in seconds, a multiple of `history.STEP_SECONDS`.

    `index_lag_seconds` is the mean over what was indexed since the worker looked before; None if
    that was nothing, or not known to it.
    """

    model_config = {"collection": "samples"}

    id: int = Field(primary_field=True)
    free_disk_bytes: int
    buffered_bytes: int
    clips_bytes: int
    media_lag_seconds: float
    index_lag_seconds: float | None = None
    active_sessions: int
