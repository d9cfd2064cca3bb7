"""Asking the service from a terminal: where, as whom, and what is said when it goes wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from app.access.token_issue import issue_token
from app.client import ClientError, NoAnswerError, ReplayClient
from app.logs import escaped
from app.settings import Settings, load, load_terminal
from app.settings.terminal_settings import TerminalSettings

TOKEN_LIFE = timedelta(minutes=5)
"""Of one that is made here: for each request anew, and worth little to whoever else gets it."""
ADMIN = "terminal"
"""Whom the audit names for what an admin's token that is made here has done."""


def connected(
    ask: Callable[[ReplayClient], None],
    *,
    room: str = "",
    identity: str = "",
    settings: Settings | None = None,
) -> int:
    """Runs a command that asks; its exit code: 0, or 1 with the reason on stderr.

    A token that is made here is that of `identity`, for the room; of nobody's it is an admin's.
    `settings`: of a service that was started by whoever calls, whatever the environment says.
    """
    given = load_terminal() if settings is None else TerminalSettings.model_construct()
    url, token = _where(given, settings, room, identity)
    try:
        # no proxy between us and our own service
        with httpx.Client(timeout=30, trust_env=False) as http:
            ask(ReplayClient(url, token, http=http))
        sys.stdout.flush()
    except NoAnswerError as error:
        return _failed(f"{error}: does the service run, is REPLAY_URL or PUBLIC_URL right?")
    except BrokenPipeError:
        # Who reads has enough. Python would say so again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ClientError, OSError, ValueError) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 0


def print_json(told: Mapping[str, Any]) -> None:
    """An answer, on a line of its own; in ASCII: no title does anything to a terminal."""
    sys.stdout.write(json.dumps(told) + "\n")


def print_line(*parts: str) -> None:
    """What people read. What others have named is shown, whatever is in it, and does nothing."""
    sys.stdout.write("  ".join(escaped(part) for part in parts) + "\n")


def _where(
    given: TerminalSettings, settings: Settings | None, room: str, identity: str
) -> tuple[str, str | Callable[[], str]]:
    """The service's URL, and a token, or what makes one."""
    token = given.replay_token.get_secret_value()
    if given.replay_url and token:
        return given.replay_url, token
    settings = settings or load()
    made = partial(
        issue_token, settings, identity or ADMIN, room=room, admin=not identity, ttl=TOKEN_LIFE
    )
    return given.replay_url or settings.base_url, token or made


def _failed(reason: str) -> int:
    sys.stderr.write(f"{escaped(reason)}\n")
    return 1
