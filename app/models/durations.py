"""Lengths of time as people write them: `90`, `90s`, `2m`, `1m30s`, `1.5h`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNIT_SECONDS = {"h": 3600, "m": 60, "s": 1}
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_PART = re.compile(rf"({_NUMBER})([hms])")
PATTERN = rf"{_NUMBER}|(?:{_NUMBER}[hms])+"
"""What such a text looks like, as JSON Schema may say it, too. It is not nothing, besides."""


def parse_duration(text: str) -> timedelta:
    """The length of time that `text` says; a plain number is seconds.

    Raises ValueError, with what is allowed, for anything else or for nothing at all.
    """
    if re.fullmatch(_NUMBER, text):
        seconds = float(text)
    elif re.fullmatch(PATTERN, text):
        parts = _PART.findall(text)
        seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    else:
        raise ValueError(f"{text!r} is no length of time: write 90s, 2m or 1m30s")
    if seconds <= 0:
        raise ValueError(f"{text!r} must be longer than nothing")
    try:
        return timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{text[:80]!r} is longer than time is counted") from error
