"""Faults that a test orders from a running stand-in, through a JSON file.

The file is read anew at each decision, so a test can change its mind while egresses run. No file,
or {}, means no fault. Numbers of segments count from 1, per egress.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

from deploy.local.standin.request import Encoding


@dataclass(frozen=True)
class Faults:
    """What to do wrong."""

    busy: bool = False
    """Don't claim any StartEgress: the caller gets 503 after 16-27 s."""
    affinity: float | None = None
    """Claim StartEgress with this, not 0.5 (idle) or 1 (working); 0 is never chosen."""
    refuse: tuple[str, str] | None = None
    """Answer StartEgress with this psrpc code and text."""
    delay_start: float = 0.0
    """Seconds between being chosen and answering; above 10 the caller gets 409 later on."""
    die_on_start: bool = False
    """End the worker process when it is chosen, before it answers."""
    die_after_segments: int | None = None
    """End the worker process when an egress has written so many segments: a ghost stays."""
    silent: bool = False
    """Don't claim any StopEgress: the caller gets 408 after 3 s."""
    skip_final_update: bool = False
    """Never tell the end of an egress: no egress_ended."""
    clock_bias: float = 1.5
    """Seconds by which file names and PROGRAM-DATE-TIME are late; the real one's are 1.2-2.2."""
    drop_segment: int | None = None
    """The playlists name this segment and its file does not exist."""
    truncate_segment: int | None = None
    """The playlists name this segment and half of its file exists."""
    torn_playlist: float = 0.0
    """Seconds that a playlist stays empty, then as long half-written, at each rewriting."""
    disk_full: int | None = None
    """At this segment the disk is full: half of it is copied and listed, then FAILED 400."""
    fail_after_segments: int | None = None
    """After so many segments the handler is killed: FAILED 500, no ENDLIST, no results."""
    limit_after_segments: int | None = None
    """After so many segments LIMIT_REACHED 413 ends the egress."""
    bears_pixels: int | None = None
    """An egress encodes so many pixels a second: what has more comes later and later."""

    def lateness(self, encoding: Encoding, seconds: float) -> float:
        """By how many seconds so many of media come later, relative to those before."""
        asked = encoding.width * encoding.height * encoding.framerate
        return seconds * max(0.0, asked / self.bears_pixels - 1) if self.bears_pixels else 0.0


_NAMES = {field.name for field in fields(Faults)}


def read(path: Path | None) -> Faults:
    """The faults in force now.

    :raises ValueError: the file is not a JSON object of known faults.
    """
    if path is None:
        return Faults()
    try:
        text = path.read_text()
    except FileNotFoundError:
        return Faults()
    data = json.loads(text)
    if not isinstance(data, dict) or not set(data) <= _NAMES:
        raise ValueError(f"{path}: faults are a JSON object with keys of {sorted(_NAMES)}: {text}")
    return Faults(**data)
