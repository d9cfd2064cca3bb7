"""Which text a row can hold. Pure."""

from __future__ import annotations


def is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: a lone surrogate, which JSON allows, can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
