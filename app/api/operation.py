"""An operation of the HTTP interface, declared once: what is described is what is read and sent.

The signature of an endpoint names what it takes and gives: `async def (call: Call[ClipQuery]) ->
ClipPage` reads a query and answers with that JSON, `Call[None]` takes neither query nor body, `->
None` answers without a body, and `-> Response` makes an answer of its own. `endpoint` says the
rest. A request is let in, read and answered here; nothing of it is left to the endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from types import NoneType
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.api import auth, call_places, rate_limits, web_state, wire
from app.api.auth import Reader
from app.api.call import NAMES, Call
from app.api.media_under_way import MediaBounds
from app.api.security import UNVERSIONED, Credentials
from app.api.streamed_answers import Within
from app.api.token_buckets import Cost, Kept
from app.api.versions import VersionedRoute
from app.errors import (
    Invalid,
    Malformed,
    ReplayError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)


@dataclass(frozen=True)
class Gate:
    """Lets calls pass, or raises one of its problems."""

    check: Callable[[Call[None]], Awaitable[None]]
    problems: tuple[type[ReplayError], ...]


def gate(
    *problems: type[ReplayError],
) -> Callable[[Callable[[Call[None]], Awaitable[None]]], Gate]:
    """Makes a gate of a function that raises these errors."""
    return lambda check: Gate(check, problems)


Function = Callable[[Call[Any]], Awaitable[BaseModel | Response | None]]
"""What an endpoint does."""


@dataclass(frozen=True)
class Answer:
    """An answer that is not a problem: JSON of a model, or another media type.

    `or_types`: those that it may be instead. `headers`: name → what it says. Of a model, the member
    of that alias is sent. `events`: of a stream, what its events are.
    """

    description: str
    model: type[BaseModel] | None = None
    media_type: str = "application/json"
    or_types: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    events: tuple[type[BaseModel], ...] = ()


@dataclass(frozen=True)
class Operation:
    """What an endpoint takes and answers. `problems`: errors besides those any request may meet."""

    summary: str
    answers: Mapping[int, Answer] | Mapping[HTTPStatus, Answer]
    problems: Sequence[type[ReplayError]] = ()
    access: Credentials = "token"
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    may: Gate | None = None
    body_may_be_empty: bool = False
    cost: Cost = Cost.READ
    kept: Kept | None = None

    @property
    def all_problems(self) -> list[type[ReplayError]]:
        """Every error that it may answer with."""
        found = [*(self.may.problems if self.may else ()), *self.problems]
        found += [] if self.access == "anybody" else [Unauthorized]
        found += [] if self.access == "anybody" and self.cost is Cost.FREE else [TooManyRequests]
        found += [Malformed, Invalid, TooLarge] if self.body else []
        found += [Invalid] if self.query else []
        found += [] if self.access in ("anybody", "metrics token") else [Unavailable]
        return [*found, ReplayError]


class OperationRoute(VersionedRoute):
    """A route with the operation that its requests are read by."""

    def __init__(
        self,
        method: str,
        path: str,
        former: str | None,
        answer: Callable[..., Any],
        operation: Operation,
    ) -> None:
        super().__init__(path, former, answer, methods=[method])
        self.operation = operation


def guarded(routes: Iterable[BaseRoute]) -> list[OperationRoute]:
    """The routes that ask for credentials."""
    found = [route for route in routes if isinstance(route, OperationRoute)]
    return [route for route in found if Unauthorized in route.operation.all_problems]


def endpoint(
    line: str,
    summary: str,
    *,
    answers: Mapping[int, Answer] | Mapping[HTTPStatus, Answer],
    problems: Sequence[type[ReplayError]] = (),
    access: Credentials = "token",
    may: Gate | None = None,
    headers: Mapping[str, str] | None = None,
    description: str = "",
    body_may_be_empty: bool = False,
    cost: Cost | None = None,
    kept: Kept | None = None,
    former: str | None = None,
) -> Callable[[Function], OperationRoute]:
    """Declares an endpoint: the route of `line`, such as `GET /clips/{clip_id}`.

    What people ask, with a token or by a URL of ours, stands under the present version, and under
    `former`, by default the same path without it. What machines ask stands as it is.

    `access`: what a request must show; `may`: who may call, of those who have a token. `headers`:
    request headers that it reads. `body_may_be_empty`: no body at all is `{}`. `cost`: default READ
    of a GET, else WRITE. `kept`: what stays of it for days, if anything does.
    """
    method, path = line.split()

    def declare(function: Function) -> OperationRoute:
        query, body, model = _declared(function, method)
        operation = Operation(
            summary=summary,
            answers=answers if model is None else _with_model(answers, model),
            problems=problems,
            access=access,
            query=query,
            body=body,
            headers=headers or {},
            description=description,
            may=may,
            body_may_be_empty=body_may_be_empty,
            cost=cost or (Cost.READ if method == "GET" else Cost.WRITE),
            kept=kept,
        )

        @wraps(function)
        async def answer(request: Request) -> Response:
            try:
                call = await _let_in(operation, request)
                if operation.body is not None:
                    await request.body()  # a caller that sends it slowly holds no place meanwhile
                async with call_places.place(call, operation.cost):
                    bounds = call_places.media(call, operation.cost)
                    call.state.media.check(bounds)
                    given = await function(await _read(operation, call))
                    return _rendered(operation, call, given, bounds)
            except Unauthorized as error:
                raise rate_limits.refusal(request, path, error) from error

        before = None if access in UNVERSIONED else former or path
        return OperationRoute(method, path, before, answer, operation)

    return declare


def _declared(
    function: Function, method: str
) -> tuple[type[BaseModel] | None, type[BaseModel] | None, type[BaseModel] | None]:
    """What a function reads as query, what as body, and the model of its answer, if it has one."""
    hints = get_type_hints(function)
    gives = hints.pop("return")
    (call,) = hints.values()
    (takes,) = get_args(call)
    model = gives if isinstance(gives, type) and issubclass(gives, BaseModel) else None
    if takes is NoneType:
        return None, None, model
    return (takes, None, model) if method in ("GET", "DELETE") else (None, takes, model)


def _with_model(
    answers: Mapping[int, Answer] | Mapping[HTTPStatus, Answer], model: type[BaseModel]
) -> dict[int, Answer]:
    ((status, answer),) = answers.items()
    return {int(status): replace(answer, model=model)}


async def _let_in(operation: Operation, request: Request) -> Call[None]:
    """The call of somebody who is known, and has not called too often. Raises ReplayError."""
    state, now = web_state.of(request), datetime.now(UTC)
    call: Call[None] = Call(request, state, now, await _shown(operation, request, now), None)
    rate_limits.charge(call, operation.cost, operation.kept)
    return call


async def _read(operation: Operation, call: Call[None]) -> Call[Any]:
    """The call with all that it says. Raises what the operation's problems say.

    A caller who may not call is not told what is wrong with the rest.
    """
    request = call.request
    if operation.may is not None:
        await operation.may.check(call)
    for parameter in NAMES & request.path_params.keys():
        call.name(parameter)
    if wire.IDEMPOTENCY_KEY in operation.headers:
        call = replace(call, idempotency_key=wire.idempotency_key(request))
    if operation.body is not None:
        empty = operation.body_may_be_empty
        return _with(call, await wire.body(request, operation.body, empty, call.is_former))
    if operation.query is not None:
        signed = "signature" in operation.access
        ignored = auth.SIGNATURE_QUERY if signed else frozenset[str]()
        return _with(call, wire.query(request, operation.query, ignored, call.is_former))
    return call


def _with(call: Call[None], given: BaseModel) -> Call[Any]:
    changed: Call[Any] = call
    return replace(changed, input=given)


async def _shown(operation: Operation, request: Request, now: datetime) -> Reader | None:
    """Who calls, by what the operation's access asks for. Raises Unauthorized."""
    match operation.access:
        case "token":
            return await auth.reader_of(web_state.of(request), await auth.caller(request), now)
        case "token or signature":
            return await auth.reader(request, now)
        case "token, signature or link":
            return None if auth.link(request) is not None else await auth.reader(request, now)
        case "webhook" | "metrics token" | "anybody":
            return None


def _rendered(
    operation: Operation, call: Call[None], given: BaseModel | Response | None, bounds: MediaBounds
) -> Response:
    if isinstance(given, StreamingResponse):
        if call.shown is not None:
            given = auth.watched(call.state, call.shown, given)
        return Within(given, call.state.media.one(bounds))
    if isinstance(given, Response):
        return given
    ((status, answer),) = operation.answers.items()
    if given is None:
        return Response(status_code=status)
    members = given.model_dump(by_alias=True)
    headers = {name: str(members[name]) for name in answer.headers}
    return wire.answer(given, status, headers, former=call.is_former)
