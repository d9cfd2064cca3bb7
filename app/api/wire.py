"""JSON shapes that every resource shares: instants, seconds, lists, and reading what was asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Invalid, Malformed


def instant(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: `2026-11-03T10:15:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _needs_text(value: object) -> object:
    # pydantic would take numbers, also as text, for Unix times.
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value.upper()):
        return value
    raise ValueError("must be an RFC 3339 time such as 2026-11-03T10:15:00.000Z")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_needs_text),
    PlainSerializer(instant, return_type=str, when_used="json"),
]
"""A datetime as RFC 3339 text; when read, its zone must be given."""

Seconds = Annotated[float, PlainSerializer(lambda value: round(value, 3), return_type=float)]
"""A duration, told to the millisecond."""

Name = Annotated[str, Field(min_length=1, max_length=4096)]
"""A room's or participant's true name: any text."""


class Asked(BaseModel):
    """Base of request bodies and query strings: unknown members are refused, NaN is no number."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=False)


class Told(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(allow_inf_nan=False, json_schema_serialization_defaults_required=True)


Model = TypeVar("Model", bound=BaseModel)


def answer(told: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(told.model_dump_json(), status, headers, "application/json")


async def body(request: Request, model: type[Model]) -> Model:
    """The request's JSON body. Raises Malformed if it is not JSON, Invalid if it does not fit."""
    raw = await request.body()
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:  # JSON's and UTF-8's errors are ValueErrors
        raise Malformed("the body is not JSON in UTF-8") from error
    if not isinstance(content, dict):
        raise Invalid(f"the body is a JSON {_kind(content)}, it must be an object")
    return _validated(model, content)


def query(request: Request, model: type[Model], *, ignore: frozenset[str] = frozenset()) -> Model:
    """The request's query parameters. Raises Invalid if one is unknown, doubled or does not fit.

    `ignore`: further names that may stand there, read by somebody else.
    """
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in ignore:
            continue
        if name in given:
            raise Invalid(f"{name} is given twice: give it once")
        given[name] = value
    return _validated(model, given)


def _validated(model: type[Model], content: dict[str, Any]) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        errors = [_explain(problem) for problem in error.errors(include_url=False)]
        raise Invalid("; ".join(errors), errors=errors) from error


def _explain(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if not where:
        return str(message)
    if problem["type"] == "extra_forbidden":
        return f"{where} is not known here"
    if problem["type"] == "missing":
        return f"{where} is missing"
    shown = repr(problem["input"])
    shown = shown if len(shown) <= 80 else shown[:80] + "…"
    return f"{where}={shown}: {message}"


def _kind(content: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(content), "number")
