"""What the process that reads a finished clip answers.

It reads what strangers have encoded: what it answers is believed only as far as it can be.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass

_FACTS, _REFUSED = b"f", b"n"
_NUMBERS = struct.Struct("<4qd2?")
_REASON = re.compile(rb"[ -~]{1,200}")


class ImplausibleFacts(Exception):
    """An answer that no program gives which is in its right mind."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a clip's file holds: by its index, and whether two of its pictures can be decoded."""

    pictures: int
    sound_frames: int
    width: int
    height: int
    seconds: float
    first_decodes: bool
    last_key_decodes: bool

    def pack(self) -> bytes:
        """As an answer."""
        return _FACTS + _NUMBERS.pack(
            self.pictures,
            self.sound_frames,
            self.width,
            self.height,
            self.seconds,
            self.first_decodes,
            self.last_key_decodes,
        )


def pack_refusal(reason: str) -> bytes:
    """Why a file can't be read, as an answer."""
    text = "".join(each if " " <= each <= "~" else "?" for each in reason)
    return _REFUSED + text[:200].encode()


def unpack(answer: bytes) -> FileFacts | str:
    """What a file holds, or why it can't be read. Raises ImplausibleFacts."""
    kind, rest = answer[:1], answer[1:]
    if kind == _REFUSED and _REASON.fullmatch(rest):
        return rest.decode("ascii")
    if kind == _FACTS and len(rest) == _NUMBERS.size:
        facts = FileFacts(*_NUMBERS.unpack(rest))
        if math.isfinite(facts.seconds):
            return facts
    raise ImplausibleFacts(f"it says {answer[:40]!r}")
