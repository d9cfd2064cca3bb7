"""A request that has been let in, as its endpoint takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from starlette.requests import Request

from app.access import path_names
from app.access.tokens import Caller
from app.api import versions, web_state
from app.api.auth import Reader
from app.api.web_state import WebState
from app.context import Context
from app.work.parties import party

Input_co = TypeVar("Input_co", covariant=True)

NAMES = frozenset({"community", "identity", "room"})
"""Parameters of paths that are names, written as `path_names.path_name` writes them."""


@dataclass(frozen=True)
class Call(Generic[Input_co]):
    """A request of somebody who may send it.

    `input` is what it asks for: the query of a GET, the body of any other method. `shown` is who
    has shown a token or a signature, None where nobody needs to. `request` is for answers that are
    no JSON.
    """

    request: Request
    state: WebState
    now: datetime
    shown: Reader | None
    input: Input_co
    idempotency_key: str | None = None

    @property
    def ctx(self) -> Context:
        """The process's settings, database and queue."""
        return self.state.ctx

    @property
    def reader(self) -> Reader:
        """Who calls, to make media URLs for."""
        if self.shown is None:
            raise LookupError(f"{self.request.url.path} asks nobody who they are")
        return self.shown

    @property
    def caller(self) -> Caller:
        """Who calls, with a token."""
        if self.reader.caller is None:
            raise LookupError(f"{self.request.url.path} takes signatures, which name nobody")
        return self.reader.caller

    @property
    def user(self) -> str:
        """Whose requests this one is counted with, and has its turn among.

        The caller's; of who shows no name those of the address. A URL that was made for somebody
        may be in the hands of others, who use up nothing of theirs: what comes by any such URL is
        counted together, and has its turns by `address`.
        """
        if self.shown is None:
            return self.address
        return f"signed {self.shown.holder}" if self.is_signed else self.shown.holder

    @property
    def address(self) -> str:
        """Where it comes from; all addresses of one party have one name."""
        return party(web_state.peer(self.request))

    @property
    def is_signed(self) -> bool:
        """Whether a signed URL lets it in: whoever has that sends it."""
        return self.shown is not None and self.shown.caller is None

    @property
    def is_former(self) -> bool:
        """Whether it came by a path of before the version: names of members are as they were."""
        return versions.is_former(self.request.scope)

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters of the path, as they stand in it."""
        return self.request.path_params

    def sibling(self, path: str) -> str:
        """A path of JSON with the names that this call has: under the version, or as before."""
        return path if self.is_former else versions.current(path)

    def beside(self, url: str) -> str:
        """A URL of ours as seen from this request's, also where a proxy puts a prefix before."""
        return versions.relative(self.request.scope["path"], url)

    def name(self, parameter: str) -> str:
        """The name that a parameter of the path, one of NAMES, stands for.

        Raises NotFound if it stands for none, Invalid if it holds control characters.
        """
        return path_names.named(self.path[parameter])
