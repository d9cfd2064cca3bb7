"""Who may manage a community, and how names stand in a path."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata

from app.access import communities, policy
from app.access.permissions import Action
from app.access.tokens import Caller
from app.errors import Invalid, NotFound, NotPermitted
from app.settings import Settings
from app.store import Store

_PLAIN = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
_ENCODED = "~"
_MAX_NAME_LENGTH = 512


def path_name(name: str) -> str:
    """How a community's or user's name stands in a path.

    As it is where it consists of at most 64 of `[A-Za-z0-9_.-]`; any other as `~` and its UTF-8
    in base64url without padding.
    """
    if _PLAIN.match(name):
        return name
    return _ENCODED + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def named(segment: str) -> str:
    """The name that a path segment stands for.

    Raises NotFound if it stands for none, Invalid if it holds control characters.
    """
    if _PLAIN.match(segment):
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


async def check(store: Store, settings: Settings, caller: Caller, community: str) -> None:
    """Raises NotPermitted unless the caller may manage the limits of the community."""
    rules = await communities.rules(store, settings, community)
    actions = await communities.actions(store, rules, caller.identity)
    if not policy.may_manage(caller, actions):
        raise NotPermitted(
            f"{caller.identity!r} does not hold {Action.MANAGE_REPLAY_LIMITS.name} in this "
            "community: ask somebody who does"
        )


def check_admin(caller: Caller) -> None:
    """Raises NotPermitted unless the caller administrates the instance."""
    if not caller.instance_admin:
        raise NotPermitted("only an administrator of the instance may do this")
