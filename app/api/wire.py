"""JSON that every resource shares: how a request is read, how an answer writes times."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Invalid, Malformed
from app.logs import escaped
from app.models import json_text

Model = TypeVar("Model", bound=BaseModel)

IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
MOST_MEMBERS = 100
"""Members of a body: several times what any request has. How long a query is: `app.serving`."""
DEEPEST = 32
"""How many brackets of a body may be open at once: several times what any request has."""
MOST_PROBLEMS = 20
"""What is told of what is wrong with one request."""


class Input(BaseModel):
    """Base of what a request says, in its body or its query: unknown members are refused.

    The alias of a member is its name under the paths of before the version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, defer_build=True)


class LooseQuery(Input):
    """Base of the query of a URL that people pass on: what others have added breaks it not.

    What is not a member is not looked at. What stands there twice counts as the last of them says.
    """

    model_config = ConfigDict(extra="ignore")


class View(BaseModel):
    """Base of what an answer shows. It can be made of anything that has its members.

    The alias of a member is its name under the paths of before the version.
    """

    model_config = ConfigDict(
        from_attributes=True,
        defer_build=True,
        json_schema_serialization_defaults_required=True,
        validate_by_name=True,
    )

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> Self:
        """The view of a stored row, whose `_id` is its `id`."""
        return cls.model_validate({**row, "id": row["_id"]})


def answer(
    view: BaseModel,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    former: bool = False,
) -> Response:
    """A JSON answer; `former`: with names of before the version."""
    return Response(written(view, former=former), status, headers, "application/json")


def written(view: BaseModel, *, former: bool) -> str:
    """A view as JSON; `former`: with names of before the version."""
    return view.model_dump_json(by_alias=former)


async def body(request: Request, model: type[Model], may_be_empty: bool, former: bool) -> Model:
    """The request's JSON body. Raises Malformed if it can't be read, Invalid if it does not fit.

    `may_be_empty`: no body at all is `{}`. `former`: with names of before the version.
    """
    raw = await request.body()
    if may_be_empty and not raw:
        raw = b"{}"
    try:
        text = raw.decode()
        _refuse_deep(raw)
        given = json.loads(text)
    except ValueError as error:  # what is not UTF-8 is one, too
        raise Malformed("the body is not JSON in UTF-8") from error
    if not isinstance(given, dict):
        raise Invalid(f"the body must be a JSON object, not {type(given).__name__}")
    if len(given) > MOST_MEMBERS:  # each would be looked at, and told of
        raise Invalid(f"the request has {len(given)} members: at most {MOST_MEMBERS} are read")
    if b"\\u" in raw:
        _refuse_half_pairs(given)
    return _validated(model, given, former)


def query(request: Request, model: type[Model], ignore: frozenset[str], former: bool) -> Model:
    """The request's query parameters. Raises Invalid if one does not fit, or is doubled.

    Of a LooseQuery none is doubled. `ignore`: further parameters that may stand there; somebody
    else reads them. `former`: with names of before the version.
    """
    if issubclass(model, LooseQuery):
        return _validated(model, dict(request.query_params), former)
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise Invalid(f"{name} is given twice: give it once")
        if name not in ignore:
            given[name] = value
    return _validated(model, given, former)


def idempotency_key(request: Request) -> str | None:
    """The header Idempotency-Key, if it is there. Raises Invalid if it is not a key."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid(f"{IDEMPOTENCY_KEY} must be 1 to 200 visible ASCII characters")
    return key


def _refuse_deep(raw: bytes) -> None:
    """Raises Malformed for what whoever goes through it could not: each level takes a call."""
    if (depth := json_text.depth(raw)) > DEEPEST:
        raise Malformed(f"the body is nested {depth} deep: at most {DEEPEST} is read")


def _refuse_half_pairs(given: Mapping[str, object]) -> None:
    """Raises Invalid if a text holds one half of a surrogate pair.

    JSON can write it as an escape, Python keeps it, and nothing that stores or sends UTF-8 takes
    it: so no input may hold it, whatever the field.
    """
    message = "holds one half of a surrogate pair, which is no Unicode text"
    wrong = []
    for name, value in given.items():
        try:
            json.dumps([name, value], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            wrong.append({"field": _shown(name), "message": message, "value": _shown(value)})
    if wrong:
        raise Invalid("; ".join(f"{each['field']}: {message}" for each in wrong), errors=wrong)


def _validated(model: type[Model], given: Mapping[str, object], former: bool) -> Model:
    try:
        return model.model_validate(given, by_alias=former, by_name=not former)
    except ValidationError as error:
        fields = model.model_fields.items()
        known = [(field.alias if former else None) or name for name, field in fields]
        raise _invalid(error, known) from error


def _invalid(error: ValidationError, known: Sequence[str]) -> Invalid:
    """Each field that is wrong: its name, what is wrong, the value given.

    `known`: the names that there are.
    """
    wrong: list[dict[str, str]] = []
    told: list[str] = []
    for problem in error.errors(include_url=False)[:MOST_PROBLEMS]:
        name = ".".join(str(part) for part in problem["loc"]) or "request"
        found = {"field": name, "message": _message(problem, known)}
        if problem["loc"] and problem["type"] != "missing":
            value = found["value"] = _shown(problem["input"])
            name += f"='{value}'" if isinstance(problem["input"], str) else f"={value}"
        wrong.append(found)
        told.append(f"{name}: {found['message']}")
    return Invalid("; ".join(told), errors=wrong)


def _message(problem: Mapping[str, Any], known: Sequence[str]) -> str:
    match problem["type"]:
        case "extra_forbidden" if len(problem["loc"]) == 1:
            return f"there is no such name; there are {', '.join(known)}"
        case "extra_forbidden":
            return "there is no such name"
        case "missing":
            return "is missing"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")


def _shown(value: object) -> str:
    """What was given, to be read: a text as it is, anything else as JSON; at most 80 characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = escaped(text[:81])  # no answer can carry half of a surrogate pair
    return text if len(text) <= 80 else text[:77] + "..."
