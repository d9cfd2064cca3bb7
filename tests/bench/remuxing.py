"""The clip of segments made with PyAV in process: demultiplexed, shifted, multiplexed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
from av.stream import Stream


def concatenate(paths: Sequence[str], out: Path) -> None:
    """Copies the packets of MPEG-TS segments of one session into one MP4, moov first."""
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        streams: dict[str, Stream] = {}
        for path in paths:
            # Without skip_frame libav decodes pictures to find what the streams are.
            undecoded: Any = [{"skip_frame": "all"}] * 2  # PyAV's types say that these are strings
            with av.open(path, stream_options=undecoded) as source:
                for found in source.streams:
                    if found.type not in streams:
                        streams[found.type] = output.add_stream_from_template(found)
                for packet in source.demux():
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream.type]
                        output.mux(packet)
