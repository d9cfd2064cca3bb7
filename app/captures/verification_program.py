"""Reads a finished clip with libav, in a process of its own: two of its pictures are decoded.

Run by `app.captures.verification`: see `app.processes.bound_service`. It reads the index and
decodes two key frames, the first and the last: some milliseconds, whatever the length.
"""

from __future__ import annotations

import av
import av.error
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from app.captures.verification_messages import FileFacts, pack_refusal
from app.processes.bound_service import serve

_SKIP_DECODING = [{"skip_frame": "all"}] * 2


def answer(_: bytes, given: int, __: int) -> bytes:
    """What the file in `given` holds, or why it can't be read."""
    try:
        return _read(given)
    except av.error.FFmpegError as error:
        return pack_refusal(f"libav can't read it: {error.strerror}")
    except ValueError:  # PyAV's word for options of streams that are not there
        return pack_refusal("its index names other streams than one picture and one sound")


def _read(given: int) -> bytes:
    with av.open(
        f"/proc/self/fd/{given}",  # the file that was opened, whatever has its name now
        # Otherwise libav decodes pictures, some 40 ms, to find what the index says.
        stream_options=_SKIP_DECODING,  # type: ignore[arg-type]  # PyAV's stub says list[str]
    ) as container:
        kinds = sorted(stream.type for stream in container.streams)
        if kinds != ["audio", "video"]:
            return pack_refusal(f"its streams are {kinds}")
        video, audio = container.streams.video[0], container.streams.audio[0]
        first_decodes = _decodes(container, video)
        container.seek(container.duration or 0)
        return FileFacts(
            pictures=video.frames,
            sound_frames=audio.frames,
            width=video.width,
            height=video.height,
            seconds=(container.duration or 0) / av.time_base,
            first_decodes=first_decodes,
            last_key_decodes=_decodes(container, video),
        ).pack()


def _decodes(container: InputContainer, video: VideoStream) -> bool:
    """Whether the next keyframe is a picture; also if an edit list hides it."""
    decoder = VideoCodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.extradata = video.codec_context.extradata
    packet = next((found for found in container.demux(video) if found.is_keyframe), None)
    if packet is None or not packet.size:
        return False
    # A packet of the bytes alone: that of the container is marked to be discarded if it is hidden.
    return bool(decoder.decode(av.Packet(bytes(packet))) or decoder.decode(None))


if __name__ == "__main__":
    serve(answer)
