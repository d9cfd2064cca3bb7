"""The description of the HTTP interface, made of what stands next to each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.api import problems, security
from app.api.operation import Answer, Operation, OperationRoute
from app.errors import ReplayError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Json = dict[str, Any]

VERSION = "1"


_operations: dict[Callable[..., Any], Operation] = {}


def described(operation: Operation) -> Callable[[Endpoint], Endpoint]:
    """Declares an endpoint's description, right above it."""

    def declare(endpoint: Endpoint) -> Endpoint:
        _operations[endpoint] = operation
        return endpoint

    return declare


def operation_of(route: Route) -> Operation:
    """The description of a route's endpoint. Raises KeyError with its name if it has none."""
    if isinstance(route, OperationRoute):
        return route.operation
    try:
        return _operations[route.endpoint]
    except KeyError:
        raise KeyError(f"{route.path}: its endpoint is not @described") from None


def listed_of(routes: Iterable[BaseRoute]) -> list[Route]:
    """The routes of the interface: all but those of pages, which leave themselves out."""
    return [each for each in routes if isinstance(each, Route) and each.include_in_schema]


def describe(routes: Iterable[BaseRoute]) -> Json:
    """The OpenAPI 3.1 document of these routes."""
    listed = listed_of(routes)
    schemas = _Schemas([operation_of(route) for route in listed])
    paths: dict[str, Json] = {}
    for route in listed:
        for method in sorted(route.methods or ()):
            # HEAD answers as GET does, without the body
            paths.setdefault(route.path_format, {})[method.lower()] = _operation(
                route, method, schemas
            )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Replay buffer",
            "version": VERSION,
            "summary": "Instant replay of LiveKit screen shares.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.components | {"Problem": _PROBLEM},
            "securitySchemes": security.SCHEMES,
        },
    }


class _Schemas:
    """The JSON schemas of every model that the operations name."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        asked = {model for found in operations for model in (found.query, found.body) if model}
        told = {a.model for found in operations for a in found.answers.values() if a.model}
        modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in sorted(asked, key=_name)),
            *((model, "serialization") for model in sorted(told, key=_name)),
        ]
        self._references, definitions = models_json_schema(
            modes, ref_template="#/components/schemas/{model}"
        )
        queries = {
            self.reference(found.query, "validation")["$ref"].rpartition("/")[2]
            for found in operations
            if found.query
        }
        self._definitions: dict[str, Json] = definitions.get("$defs", {})
        self.components = {
            name: schema for name, schema in self._definitions.items() if name not in queries
        }

    def reference(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        return dict(self._references[(model, mode)])

    def definition(self, model: type[BaseModel]) -> Json:
        name = self.reference(model, "validation")["$ref"].rpartition("/")[2]
        return self._definitions[name]


def _name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def _operation(route: Route, method: str, schemas: _Schemas) -> Json:
    operation = operation_of(route)
    name = str(route.endpoint.__name__)
    described: Json = {
        "operationId": name if method != "HEAD" else f"{name}_head",
        "summary": operation.summary,
        "security": security.REQUIRED[operation.access],
        "parameters": [*_parameters(route, operation, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body:
        schema = schemas.reference(operation.body, "validation")
        content = {"application/json": {"schema": schema}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(route: Route, operation: Operation, schemas: _Schemas) -> Iterable[Json]:
    for name in route.param_convertors:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.query:
        definition = schemas.definition(operation.query)
        for name, schema in definition.get("properties", {}).items():
            yield {
                "name": name,
                "in": "query",
                "required": name in definition.get("required", ()),
                "description": schema.get("description", ""),
                "schema": {key: schema[key] for key in schema if key != "description"},
            }
    for name, description in operation.headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string"},
        }


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Json]:
    responses = {
        str(int(status)): _told(told, schemas) for status, told in operation.answers.items()
    }
    by_status: dict[int, list[type[ReplayError]]] = {}
    for error in operation.all_problems:
        if error not in by_status.setdefault(error.status, []):
            by_status[error.status].append(error)
    return responses | {
        str(status): _problem(errors) for status, errors in sorted(by_status.items())
    }


def _told(told: Answer, schemas: _Schemas) -> Json:
    response: Json = {"description": told.description}
    if told.model:
        schema = schemas.reference(told.model, "serialization")
        response["content"] = {told.media_type: {"schema": schema}}
    elif told.media_type != "application/json":
        response["content"] = {told.media_type: {}}
    if told.headers:
        response["headers"] = {
            name: {"description": says, "schema": {"type": "string"}}
            for name, says in told.headers.items()
        }
    return response


def _problem(errors: Sequence[type[ReplayError]]) -> Json:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"type": {"enum": [error.slug for error in errors]}}},
        ]
    }
    return {
        "description": "; ".join(f"`{error.slug}`: {error.title}" for error in errors),
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }


_PROBLEM: Json = {
    "type": "object",
    "description": "A problem document (RFC 9457); `type` is a stable slug.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
    },
    "additionalProperties": True,
}


_documents: WeakKeyDictionary[Starlette, Json] = WeakKeyDictionary()
"""Of each application its description, once somebody has asked for it."""


@described(
    Operation(
        summary="This description",
        answers={HTTPStatus.OK: Answer("An OpenAPI 3.1 document.")},
        access="anybody",
    )
)
async def get_openapi(request: Request) -> Response:
    """GET /openapi.json"""
    app: Starlette = request.app
    if app not in _documents:
        _documents[app] = describe(app.routes)
    return JSONResponse(_documents[app])


routes: list[BaseRoute] = [Route("/openapi.json", get_openapi)]
