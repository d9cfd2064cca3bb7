"""How loud a share's sound was: what a waveform below its pictures is drawn from."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field
from starlette.routing import BaseRoute

from app.api import share_lookup
from app.api.call import Call
from app.api.json_types import InstantText
from app.api.operation import Answer, endpoint
from app.api.share_lookup import WindowQuery
from app.api.token_buckets import Cost
from app.api.wire import View
from app.errors import BufferEmpty, Gone, NotFound, NotPermitted, WindowTooLong
from app.media.prepared_fragment import LOUDEST
from app.viewing import waveforms

SoundLevel = Annotated[int, Field(ge=0, le=LOUDEST, examples=[72])]


class SoundStretch(View):
    """A stretch of sound, in equal parts."""

    start: InstantText = Field(description="Where its first part begins.")
    end: InstantText = Field(description="Where its last part ends.")
    levels: list[SoundLevel] = Field(
        description="How loud each part is, in decibels above -100 dBFS, by the root mean square: "
        "0 is silence, 100 full scale."
    )


class WaveformView(View):
    """How loud a share's sound was."""

    stretches: list[SoundStretch] = Field(
        description="In order. There are none where nothing was heard because there was no sound "
        "track, and none of segments that a release before this one has indexed."
    )


@endpoint(
    "GET /buffers/{buffer_id}/waveform",
    "How loud a share's sound was",
    description="For each quarter of a second or so, measured when its segment is indexed. Parts "
    "that lie in the window, or in what the caller may watch of it, only partly are left out.",
    answers={HTTPStatus.OK: Answer("The levels.")},
    problems=[NotFound, NotPermitted, BufferEmpty, Gone, WindowTooLong],
    cost=Cost.WINDOW,
)
async def get_buffer_waveform(call: Call[WindowQuery]) -> WaveformView:
    """Gives the waveform of a window of a buffer, as levels of its sound."""
    window = await share_lookup.seen_window(call)
    found = await call.state.thumbnails.segments(window.ranges)
    rows = {row["_id"]: row for each in found for row in each}  # two stays may share a segment
    return WaveformView(
        stretches=[
            SoundStretch(start=each.start, end=each.end, levels=list(each.levels))
            for each in waveforms.stretches(rows.values(), window.ranges)
        ]
    )


routes: list[BaseRoute] = [get_buffer_waveform]
