"""How much a JSON text holds, told before it is parsed: a parser makes an object of each value.

What stands in strings does not count, whoever wrote it. It is right up to the text's first fault,
and takes a part of the time of parsing. Of UTF-8 only: decode it first. Pure.
"""

from __future__ import annotations

from itertools import accumulate

_OPENING = b"[{"
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def holds_more(raw: bytes, most: int) -> bool:
    """Whether it holds more than so many values; a member is one, with its name."""
    bare = _without_escapes(raw)
    if bare.count(b'"') > 4 * most + 4:  # a member has two strings, each of them two of these
        return True
    outside = _outside_of_strings(bare)
    return 1 + sum(outside.count(mark) for mark in (b"{", b"[", b",")) > most


def depth(raw: bytes) -> int:
    """How many brackets are open at once, at most."""
    brackets = _outside_of_strings(_without_escapes(raw)).translate(None, _NO_BRACKETS)
    steps = (1 if bracket in _OPENING else -1 for bracket in brackets)
    return max(accumulate(steps), default=0)


def _without_escapes(raw: bytes) -> bytes:
    """Each quotation mark that is left begins or ends a string."""
    return raw.replace(b"\\\\", b"").replace(b'\\"', b"")


def _outside_of_strings(bare: bytes) -> bytes:
    return b"".join(bare.split(b'"')[::2])
