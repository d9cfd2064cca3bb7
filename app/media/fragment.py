"""One MPEG-TS segment made into one fragment of fragmented MP4.

A fragment is `moof mdat`: all pictures in decode order, then all sound.

Audio lies on one grid of 1,024-sample frames per session. MPEG-TS rounds its times to 90 kHz; the
grid restores them to the sample. Frames that are missing are filled with silence up to the next
real one, because Chromium drops video up to the next keyframe where a fragment lacks one. The end
is left open: the sound that follows is in the next segment.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.media.aac import EGRESS_AUDIO
from app.media.boxes import media_data_head
from app.media.continuity import WRAP_TICKS, Continuity, earliest_ticks
from app.media.demux import Elementary, demux
from app.media.faults import Fault, Unpreparable
from app.media.h264 import MOST_PIXELS, UnsupportedProfile, decoder_configuration, picture_size
from app.media.init_segment import Init
from app.media.moof import movie_fragment
from app.media.prepared_fragment import HOLE_TICKS, FragmentKeyFrame, Hole, Prepared
from app.media.samples import VIDEO_TICKS, SampleTable
from app.media.sound import Sound, on_grid
from app.media.timestamp_steps import Ticks, TimeBounds
from app.media.transport import inspect, media_faults
from app.models import FaultSlug

MPEGTS_BASE_TICKS = 3_600 * VIDEO_TICKS
"""PTS at which egress lets every session's media clock begin (GStreamer's mpegtsmux)."""

_USUAL_FRAME_TICKS = VIDEO_TICKS // 30


def prepare(
    path: str,
    extinf_seconds: float,
    previous: Continuity | None = None,
    *,
    base_ticks: int = MPEGTS_BASE_TICKS,
) -> Prepared:
    """Read the MPEG-TS file of ours at `path` and make its fragment: see `prepare_bytes`."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Unpreparable(
            path, [Fault(FaultSlug.UNREADABLE, error.strerror or str(error))]
        ) from error
    return prepare_bytes(data, path, extinf_seconds, previous, base_ticks=base_ticks)


def prepare_bytes(
    data: bytes,
    path: str,
    extinf_seconds: float,
    previous: Continuity | None = None,
    *,
    base_ticks: int = MPEGTS_BASE_TICKS,
    latest_ticks: int | None = None,
    expected_ticks: int | None = None,
) -> Prepared:
    """Make the fragment of a committed segment, of which `data` is all. `path` is for messages.

    `extinf_seconds` is the length that the playlist promised: nothing is made longer than that and
    a few seconds, so bound it. `previous` is the continuity of the session's fragment before it (of
    the last one that could be prepared), None for the first. `latest_ticks`: the end of what the
    session can have recorded by now, `expected_ticks`: where its playlist has the segment, None
    where that is not known. One whose times have stepped is moved: see `timestamp_steps`.

    Raises Unpreparable with all faults found. Blocks for some milliseconds (call it in a thread;
    most of the time is spent without the GIL).
    """
    inspection = inspect(data)
    if inspection.faults:
        raise Unpreparable(path, inspection.faults)
    found = demux(data, path)
    if not found.pictures:
        raise Unpreparable(path, [Fault(FaultSlug.NO_VIDEO, "no picture in the file")])
    bounds = TimeBounds(previous, latest_ticks, expected_ticks)
    pts, sound_times, shifts = _session_times(found, bounds, base_ticks)
    frame_ticks = _frame_ticks(pts, previous)
    faults = media_faults(
        pts,
        sound_times,
        idr_first=found.pictures[0].idr,
        frame_ticks=frame_ticks,
        extinf_seconds=extinf_seconds,
    ) + _order_faults(pts, bounds)
    if faults:
        raise Unpreparable(path, faults)
    init = _init(path, found, previous, announced=inspection.audio)
    first_pts, end_pts = int(pts.min()), int(pts.max()) + frame_ticks
    sound = on_grid(
        found.audio,
        sound_times,
        init.audio_format,
        expected=_expected_audio(previous, init),
        pictures=(first_pts, end_pts),
        follows=previous is not None and first_pts - previous.end_pts < VIDEO_TICKS,
        announced=inspection.audio,
    )
    return _assemble(found, pts, frame_ticks, init, sound, shifts)


def _session_times(
    found: Elementary, bounds: TimeBounds, base_ticks: int
) -> tuple[Ticks, Ticks, tuple[int, int]]:
    """Times of pictures and of sound on the session's clock, and how far they were shifted."""
    before = bounds.previous
    shift, sound_shift = (before.picture_shift, before.sound_shift) if before else (0, 0)
    pts = _session_ticks(found.picture_times, before, base_ticks - shift)
    sound = _session_ticks(found.audio_times, before, base_ticks - sound_shift)
    step = bounds.step(int(pts.min()), int(pts.max()))
    pts = pts + step
    sound_step = bounds.sound_step(sound, pts, step)
    shifts = (shift + step) % WRAP_TICKS, (sound_shift + sound_step) % WRAP_TICKS
    return pts, sound + sound_step, shifts


def _session_ticks(times: list[int], previous: Continuity | None, base_ticks: int) -> Ticks:
    """33-bit times as ticks on the session's clock: the ones nearest to where it stood."""
    raw = np.array(times, np.int64) - base_ticks
    lowest = earliest_ticks(previous)
    return (raw - lowest) % WRAP_TICKS + lowest


def _frame_ticks(pts: Ticks, previous: Continuity | None) -> int:
    """The usual distance of two pictures; too few of them say nothing, one may be at a hole."""
    if len(pts) >= 4:
        return max(1, int(np.median(np.diff(np.sort(pts)))))
    return previous.frame_ticks if previous else _USUAL_FRAME_TICKS


def _order_faults(pts: Ticks, bounds: TimeBounds) -> list[Fault]:
    first, last = int(pts.min()), int(pts.max())
    if first < bounds.earliest:
        detail = (
            f"begins at {first / VIDEO_TICKS:.3f} s of the session,"
            f" which had reached {bounds.earliest / VIDEO_TICKS:.3f}"
        )
    elif bounds.latest is not None and last > bounds.latest:
        detail = (
            f"reaches {last / VIDEO_TICKS:.3f} s of the session,"
            f" which can't be further than {bounds.latest / VIDEO_TICKS:.3f}"
        )
    else:
        return []
    return [Fault(FaultSlug.TIMESTAMPS, detail)]


def _init(path: str, found: Elementary, previous: Continuity | None, *, announced: bool) -> Init:
    """The session's init, or a new one when this segment doesn't fit under it."""
    first = found.pictures[0]
    if first.sps is None or first.pps is None:
        raise Unpreparable(path, [Fault(FaultSlug.CORRUPT, "the first picture lacks SPS or PPS")])
    try:
        avcc = decoder_configuration(first.sps, first.pps)
    except UnsupportedProfile as error:
        raise Unpreparable(path, [Fault(FaultSlug.CODEC, str(error))]) from error
    try:
        size = picture_size(first.sps)
    except ValueError as error:
        detail = f"an SPS of unknown size: {error}"
        raise Unpreparable(path, [Fault(FaultSlug.CODEC, detail)]) from error
    if size.coded_pixels > MOST_PIXELS:
        detail = (
            f"pictures of {size.coded_pixels} pixels, of which {size.width}x{size.height} are"
            f" shown; at most {MOST_PIXELS} are taken"
        )
        raise Unpreparable(path, [Fault(FaultSlug.TOO_LARGE, detail)])
    kept = previous.init if previous else None
    audio_format = found.audio_format or (kept.audio_format if kept else EGRESS_AUDIO)
    same = kept is not None and (kept.width, kept.height, kept.avcc[1], kept.audio_format) == (
        size.width,
        size.height,
        avcc[1],
        audio_format,
    )
    if kept is not None and same:
        return kept
    return Init.build(avcc, size.width, size.height, audio_format, audio=announced)


def _expected_audio(previous: Continuity | None, init: Init) -> int | None:
    """Where the session's sound had got to, in samples of this segment's rate."""
    if previous is None:
        return None
    before = previous.init.audio_format
    if before == init.audio_format:
        return previous.end_audio
    return previous.end_audio * init.audio_format.sample_rate // before.sample_rate


def _assemble(
    found: Elementary,
    pts: Ticks,
    frame_ticks: int,
    init: Init,
    sound: Sound,
    shifts: tuple[int, int],
) -> Prepared:
    first_pts, end_pts = int(pts.min()), int(pts.max()) + frame_ticks
    table = SampleTable(
        first_pts=first_pts,
        end_pts=end_pts,
        pts=(pts - first_pts).astype(np.uint32),
        sizes=np.array([len(picture.data) for picture in found.pictures], np.uint32),
        keys=np.array([picture.idr for picture in found.pictures], np.bool_),
        first_audio=sound.first,
        audio_sizes=np.array([len(frame) for frame in sound.frames], np.uint16),
        sample_rate=init.audio_format.sample_rate,
        audio=bool(found.audio),
    )
    fragment = movie_fragment(table)
    head = media_data_head(table.video_bytes + table.audio_bytes)
    payload_offset = len(fragment) + len(head)
    offsets = payload_offset + np.cumsum(table.sizes, dtype=np.int64) - table.sizes
    ordered = np.sort(pts)
    breaks = np.flatnonzero(np.diff(ordered) > HOLE_TICKS)
    return Prepared(
        pieces=(fragment, head, *(picture.data for picture in found.pictures), *sound.frames),
        payload_offset=payload_offset,
        init=init,
        samples=table,
        first_pts=first_pts,
        end_pts=end_pts,
        first_audio=table.first_audio,
        end_audio=table.end_audio,
        frames=len(table.sizes),
        audio_frames=len(table.audio_sizes),
        silence_frames=sound.silence_frames,
        audio=table.audio,
        keys=tuple(
            FragmentKeyFrame(int(pts[i]), int(offsets[i]), int(table.sizes[i]))
            for i in np.flatnonzero(table.keys)
        ),
        holes=tuple(Hole(int(ordered[i]) + frame_ticks, int(ordered[i + 1])) for i in breaks),
        continuity=Continuity(init, end_pts, table.end_audio, frame_ticks, *shifts),
    )
