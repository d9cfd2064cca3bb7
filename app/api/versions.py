"""The version that paths stand under, and those of before, which answer for one release more.

What machines of the installation ask, and LiveKit calls, stands under no version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

CURRENT = "/v1"
_DEPRECATED_AT = datetime(2026, 11, 29, tzinfo=UTC)
_FORMER = "replay.former"
"""In a request's scope: that it came by a path of before."""


def current(path: str) -> str:
    """A path of the interface under its version."""
    return CURRENT + path


def is_former(scope: Scope) -> bool:
    """Whether a request came by a path of before, whose names of members are those of before."""
    return _FORMER in scope


def relative(path: str, target: str) -> str:
    """A path as seen from another one, also where a proxy puts a prefix before both."""
    return "../" * (path.count("/") - 1) + target.removeprefix("/")


class VersionedRoute(Route):
    """A route under the present version that answers under its path of before, too.

    There each answer bears Deprecation (RFC 9745), and a link to what follows. Without a path of
    before it stands under no version.
    """

    def __init__(self, path: str, former: str | None, endpoint: Any, **given: Any) -> None:
        super().__init__(path if former is None else current(path), endpoint, **given)
        self._former = None if former is None else Route(former, endpoint, **given)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        if match is Match.NONE and self._former is not None:
            match, found = self._former.matches(scope)
            found = {**found, _FORMER: True}
        return match, found

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_former(scope):
            await super().handle(scope, receive, send)
            return
        successor = relative(scope["path"], self._filled(scope["path_params"]))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Deprecation"] = f"@{int(_DEPRECATED_AT.timestamp())}"
                headers.append("Link", f'<{successor}>; rel="successor-version"')
            await send(message)

        await super().handle(scope, receive, answer)

    def _filled(self, parameters: Mapping[str, object]) -> str:
        """The path with these parameters, which anybody may have written."""
        return self.path_format.format_map({k: quote(str(v), "") for k, v in parameters.items()})
