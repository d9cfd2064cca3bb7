"""How names of communities, rooms and users stand in a path. Pure."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

from app.errors import Invalid, NotFound

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ENCODED = "~"
_MAX_NAME_LENGTH = 512


def path_name(name: str) -> str:
    """How a community's, room's or user's name stands in a path.

    As it is where it consists of at most 64 of `[A-Za-z0-9_.-]`; any other as `~` and its UTF-8
    in base64url without padding.
    """
    if _PLAIN.fullmatch(name):
        return name
    return _ENCODED + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def named(segment: str) -> str:
    """The name that a path segment stands for.

    Raises NotFound if it stands for none, Invalid if it holds control characters.
    """
    if _PLAIN.fullmatch(segment):
        return segment
    _refuse_control(segment)
    try:
        if not segment.startswith(_ENCODED):
            raise ValueError("neither plain nor encoded")
        encoded = segment.removeprefix(_ENCODED)
        name = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (ValueError, binascii.Error) as error:
        raise NotFound(
            f"{segment!r} names nothing: write names other than [A-Za-z0-9_.-]{{1,64}} as "
            "`~` and their UTF-8 in base64url"
        ) from error
    _refuse_control(name)
    if not 0 < len(name) <= _MAX_NAME_LENGTH:
        raise NotFound(f"names have 1 to {_MAX_NAME_LENGTH} characters")
    return name


def _refuse_control(name: str) -> None:
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise Invalid(f"{name!a} holds control characters, which no name does")
