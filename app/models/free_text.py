"""Titles and messages that people write, cleaned and bounded. Pure."""

from __future__ import annotations

import unicodedata

TITLE_LENGTH = 200
TEXT_LENGTH = 2000
"""Characters of a message."""
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text around them: a title must not reorder a page."""


def clean_title(text: str) -> str:
    """The title on one line: no control characters, no direction marks, no doubled spaces."""
    spaced = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join("".join(char for char in spaced if char not in _BIDI).split())


def clean_text(text: str) -> str:
    """The text of a message: lines stay, other control characters and direction marks go."""
    lines = (clean_title(line) for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(lines).strip()


def checked_title(text: str) -> str:
    """The cleaned title. ValueError if more than TITLE_LENGTH characters are left."""
    title = clean_title(text)
    if len(title) > TITLE_LENGTH:
        raise ValueError(f"has {len(title)} characters; at most {TITLE_LENGTH} are kept")
    return title
