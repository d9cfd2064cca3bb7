"""Operations as OpenAPI describes them: parameters, bodies, answers, problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from inspect import cleandoc

from app.api import problem_schemas, problems, security
from app.api.component_schemas import ComponentSchemas, Json
from app.api.operation import Answer, Operation, OperationRoute
from app.api.path_parameters import PATH_PARAMETERS
from app.api.tags import tag_of
from app.api.wire import IDEMPOTENCY_KEY
from app.errors import ReplayError

_TEXT: Json = {"type": "string"}
_REQUEST_HEADERS: dict[str, Json] = {
    IDEMPOTENCY_KEY: {"type": "string", "pattern": "^[!-~]{1,200}$", "examples": ["c4f1-0007"]},
}
_OF_RANGES = {
    "Range": ("One range of bytes; several are answered as none.", "bytes=0-1023"),
    "If-Range": ("The range only if this is still the ETag; else all of it.", '"5f0c-2a"'),
    "If-None-Match": ("304 if the ETag is one of these.", '"5f0c-2a"'),
}
"""Headers that every answer by ranges obeys."""
_RETRYING = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def described(route: OperationRoute, schemas: ComponentSchemas) -> Json:
    """An operation's part of the document."""
    operation = route.operation
    found: Json = {
        "operationId": str(route.endpoint.__name__),
        "summary": operation.summary,
        "description": operation.description,
        "tags": [tag_of(route.path)],
        "security": security.REQUIRED[operation.access],
        "parameters": [*_parameters(route, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.body:
        content: Json = {"schema": schemas.reference(operation.body, "validation")}
        if examples := schemas.examples(operation.body):
            content["examples"] = {
                f"example{number}": {"value": value}
                for number, value in enumerate(examples, start=1)
            }
        found["requestBody"] = {
            "required": not operation.body_may_be_empty,
            "description": cleandoc(operation.body.__doc__ or ""),
            "content": {"application/json": content},
        }
    return found


def _parameters(route: OperationRoute, schemas: ComponentSchemas) -> Iterable[Json]:
    operation = route.operation
    for name in route.param_convertors:
        description, schema = PATH_PARAMETERS[name]
        yield _parameter(name, "path", description, schema, required=True)
    if operation.query:
        definition = schemas.definition(operation.query)
        for name, schema in definition.get("properties", {}).items():
            own = {key: schema[key] for key in schema if key != "description"}
            required = name in definition.get("required", ())
            yield _parameter(
                name, "query", schema.get("description", ""), _optional(own), required=required
            )
    for name, description in operation.headers.items():
        yield _parameter(name, "header", description, _REQUEST_HEADERS[name])
    if HTTPStatus.PARTIAL_CONTENT in operation.answers:
        for name, (description, example) in _OF_RANGES.items():
            yield _parameter(name, "header", description, _TEXT | {"examples": [example]})


def _parameter(
    name: str, where: str, description: str, schema: Json, *, required: bool = False
) -> Json:
    return {
        "name": name,
        "in": where,
        "required": required,
        "description": description,
        "schema": schema,
    }


def _optional(schema: Json) -> Json:
    """The schema of a parameter that may be left out, which is not the same as null."""
    match schema:
        case {"anyOf": [*kinds], "default": None}:
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
            left = [each for each in kinds if each != {"type": "null"}]
            return (left[0] if len(left) == 1 else {"anyOf": left}) | rest
        case _:
            return schema


def _responses(operation: Operation, schemas: ComponentSchemas) -> dict[str, Json]:
    responses = {
        str(int(status)): _answer(answer, schemas) for status, answer in operation.answers.items()
    }
    by_status: dict[int, list[type[ReplayError]]] = {}
    for error in operation.all_problems:
        if error not in by_status.setdefault(error.status, []):
            by_status[error.status].append(error)
    problem = {str(status): _problem(status, by_status[status]) for status in sorted(by_status)}
    return responses | {
        # What is ready or not says so with 503 itself.
        status: each
        for status, each in problem.items()
        if status not in responses
    }


def _answer(answer: Answer, schemas: ComponentSchemas) -> Json:
    response: Json = {"description": answer.description}
    if answer.model:
        schema = schemas.reference(answer.model, "serialization")
        content = {"schema": schema}
        with suppress(LookupError):  # a member without an example: a test finds it
            content["example"] = schemas.example(schema)
        response["content"] = {answer.media_type: content}
    elif answer.events:
        listed = [schemas.reference(each, "serialization") for each in answer.events]
        schema = listed[0] if len(listed) == 1 else {"oneOf": listed}
        response["content"] = {answer.media_type: {"schema": schema}}
    elif answer.media_type != "application/json":
        types = (answer.media_type, *answer.or_types)
        response["content"] = {each: {"schema": _content(each)} for each in types}
    if answer.headers:
        response["headers"] = _headers(answer.headers)
    return response


def _content(media_type: str) -> Json:
    """What an answer that is no JSON is: text, or bytes."""
    is_text = media_type.startswith("text/") or media_type.endswith("mpegurl")
    return _TEXT if is_text else _TEXT | {"format": "binary"}


def _headers(says: Mapping[str, str]) -> Json:
    return {name: {"description": each, "schema": _TEXT} for name, each in says.items()}


def _problem(status: int, errors: list[type[ReplayError]]) -> Json:
    listed: list[Json] = [
        {"$ref": f"#/components/schemas/{problem_schemas.name_of(error)}"} for error in errors
    ]
    response: Json = {
        "description": "; ".join(f"`{error.slug}`: {error.title}" for error in errors) + ".",
        "content": {
            problems.MEDIA_TYPE: {"schema": listed[0] if len(listed) == 1 else {"oneOf": listed}}
        },
    }
    if status in _RETRYING:
        retry = {"type": "integer", "minimum": 0, "examples": [2]}
        says = "After how many seconds to try again."
        response["headers"] = {"Retry-After": {"description": says, "schema": retry}}
    return response
