"""The description of the HTTP interface, made of what each endpoint declares."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.api import problems, security
from app.api.call import Call
from app.api.operation import Answer, Operation, OperationRoute, endpoint
from app.api.ranges import Representation, is_known
from app.errors import ReplayError

Json = dict[str, Any]

VERSION = "1"


def listed_of(routes: Iterable[BaseRoute]) -> list[OperationRoute]:
    """The routes of the interface: all but those of the console, which leave themselves out.

    Raises TypeError for a route that neither leaves itself out nor declares an operation.
    """
    listed = [each for each in routes if isinstance(each, Route) and each.include_in_schema]
    for route in listed:
        if not isinstance(route, OperationRoute):
            raise TypeError(f"{route.path} declares no operation: make it with `endpoint`")
    return [each for each in listed if isinstance(each, OperationRoute)]


def describe(routes: Iterable[BaseRoute]) -> Json:
    """The OpenAPI 3.1 document of these routes."""
    listed = listed_of(routes)
    schemas = _Schemas([route.operation for route in listed])
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
        inputs = {model for each in operations for model in (each.query, each.body) if model}
        views = {a.model for each in operations for a in each.answers.values() if a.model}
        modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in sorted(inputs, key=_name)),
            *((model, "serialization") for model in sorted(views, key=_name)),
        ]
        self._references, definitions = models_json_schema(
            modes, ref_template="#/components/schemas/{model}"
        )
        queries = {
            self.reference(each.query, "validation")["$ref"].rpartition("/")[2]
            for each in operations
            if each.query
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


def _operation(route: OperationRoute, method: str, schemas: _Schemas) -> Json:
    operation = route.operation
    name = str(route.endpoint.__name__)
    described: Json = {
        "operationId": name if method != "HEAD" else f"{name}_head",
        "summary": operation.summary,
        "security": security.REQUIRED[operation.access],
        "parameters": [*_parameters(route, schemas)],
        "responses": _responses(operation, schemas),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body:
        schema = schemas.reference(operation.body, "validation")
        content = {"application/json": {"schema": schema}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(route: OperationRoute, schemas: _Schemas) -> Iterable[Json]:
    operation = route.operation
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
        str(int(status)): _answer(answer, schemas) for status, answer in operation.answers.items()
    }
    by_status: dict[int, list[type[ReplayError]]] = {}
    for error in operation.all_problems:
        if error not in by_status.setdefault(error.status, []):
            by_status[error.status].append(error)
    return responses | {
        str(status): _problem(errors) for status, errors in sorted(by_status.items())
    }


def _answer(answer: Answer, schemas: _Schemas) -> Json:
    response: Json = {"description": answer.description}
    if answer.model:
        schema = schemas.reference(answer.model, "serialization")
        response["content"] = {answer.media_type: {"schema": schema}}
    elif answer.media_type != "application/json":
        response["content"] = {answer.media_type: {}}
    if answer.headers:
        response["headers"] = {
            name: {"description": says, "schema": {"type": "string"}}
            for name, says in answer.headers.items()
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


@dataclass(frozen=True)
class _Document:
    """A description as it is sent: as it is, or packed for those who take that."""

    content: bytes
    headers: Mapping[str, str]
    served: Representation

    @classmethod
    def of(cls, content: bytes, **headers: str) -> _Document:
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        given = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"} | headers
        return cls(content, given, Representation(len(content), etag, JSONResponse.media_type))


_documents: WeakKeyDictionary[Starlette, tuple[_Document, _Document]] = WeakKeyDictionary()
"""Of each application its description, once somebody has asked for it: as it is, and packed."""


@endpoint(
    "GET /openapi.json",
    "This description",
    answers={
        HTTPStatus.OK: Answer("An OpenAPI 3.1 document."),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    },
    access="anybody",
)
async def get_openapi(call: Call[None]) -> Response:
    """Made once."""
    app: Starlette = call.request.app
    if app not in _documents:
        content = bytes(JSONResponse(describe(app.routes)).body)
        packed = _Document.of(gzip.compress(content), **{"Content-Encoding": "gzip"})
        _documents[app] = _Document.of(content), packed
    given = call.request.headers
    document = _documents[app]["gzip" in given.get("accept-encoding", "")]
    if is_known(given, document.served):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=document.headers)
    return Response(document.content, headers=document.headers, media_type=JSONResponse.media_type)


routes: list[BaseRoute] = [get_openapi]
