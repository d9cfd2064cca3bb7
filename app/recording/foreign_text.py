"""What others say becomes what we hold: the one edge for webhooks and LiveKit's answers. Pure.

Names, metadata, attributes and errors in them were written by anybody. An id is taken as it is or
refused, never changed: two people must not become one. Other text loses what can't be stored or
shown, and is cut. JSON within text is read only if it is small and flat.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.models import json_text
from app.models.row_text import is_unicode

LONGEST_ID = 4096
"""Characters of an id or a name. LiveKit's own limit is 256, unless its configuration moves it."""
LONGEST_JSON = 65_536
"""Characters of a text that is read as JSON: LiveKit's own limit of metadata, in bytes."""
DEEPEST_JSON = 16

_YEAR_3000_MS = 32_503_680_000_000
# Control characters and halves of surrogate pairs: no store, or no reader, takes them.
_UNHELD = frozenset({"Cc", "Cs"})


class NotHeld(ValueError):
    """An id that can't be held: what is told of it is left out. Says which id, not what it is."""


def ident(value: str, what: str) -> str:
    """An id, or a name that serves as one, unchanged. Raises NotHeld.

    `what` it is stands in the error: `room sid`.
    """
    if not value:
        raise NotHeld(f"the {what} is empty")
    if len(value) > LONGEST_ID:
        raise NotHeld(f"the {what} has {len(value)} characters: at most {LONGEST_ID} are held")
    if not is_unicode(value):
        raise NotHeld(f"the {what} is not valid Unicode")
    return value


def text(value: str, longest: int) -> str:
    """Text that people read: without control characters and lone surrogates, at most so long."""
    kept = value[: 2 * longest]
    return "".join(c for c in kept if unicodedata.category(c) not in _UNHELD)[:longest]


def label(value: object, longest: int) -> str | None:
    """A value of `members` that is a text as `text` gives it, and not empty; None otherwise.

    For names that somebody chose: cut or cleaned, they would be another one's.
    """
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return None
    return value if text(value, longest) == value else None


def members(value: str) -> Mapping[str, Any]:
    """The members of the JSON object that a text holds; none if it is no such object.

    Nor where it is longer than LONGEST_JSON or nested deeper than DEEPEST_JSON. Its texts are as
    they came: see `label`.
    """
    if len(value) > LONGEST_JSON or not is_unicode(value):
        return {}
    if json_text.depth(value.encode()) > DEEPEST_JSON:
        return {}
    try:
        found = json.loads(value)
    except ValueError:  # also of an integer with more digits than Python reads
        return {}
    return found if isinstance(found, dict) else {}


def instant(milliseconds: float) -> datetime | None:
    """An instant that is told in ms since 1970; None for one that no clock shows."""
    if not 0 < milliseconds < _YEAR_3000_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
