"""The description of the HTTP interface, made of what each endpoint declares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from weakref import WeakKeyDictionary

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.api import described_events, described_operations, problem_schemas, security
from app.api.call import Call
from app.api.component_schemas import ComponentSchemas, Json
from app.api.operation import Answer, Operation, OperationRoute, endpoint
from app.api.packed_documents import PackedDocument
from app.api.tags import TAGS
from app.events.contents import CONTENTS

_INFO = {
    "title": "Replay buffer",
    "version": "1",
    "summary": "Instant replay of LiveKit screen shares.",
    "description": "Every screen share is buffered by itself; any part of it becomes an MP4. "
    "Whatever takes GET takes HEAD, too, and answers without the body. Times are RFC 3339, "
    "answered in UTC to the millisecond. Members that are not known are refused; answers may get "
    "further ones. Errors are problem documents (RFC 9457), whose `type` stays. `/docs` is the "
    "same as a page.",
    "contact": {"name": "Whoever runs this instance"},
    "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
}


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
    operations = [route.operation for route in listed]
    schemas = _schemas(operations)
    paths: dict[str, Json] = {}
    for route in listed:
        for method in sorted((route.methods or set()) - {"HEAD"}):
            found = described_operations.described(route, schemas)
            paths.setdefault(route.path_format, {})[method.lower()] = found
    webhooks = described_events.webhooks(schemas)
    used = {
        each["tags"][0]
        for methods in [*paths.values(), *webhooks.values()]
        for each in methods.values()
    }
    return {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": [{"url": "/", "description": "Where this description is."}],
        "tags": [
            {"name": name, "description": says} for name, says in TAGS.items() if name in used
        ],
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": security.SCHEMES,
        },
    }


def _schemas(operations: Sequence[Operation]) -> ComponentSchemas:
    """The schemas of all that the operations take and answer."""
    answers = [answer for each in operations for answer in each.answers.values()]
    views = {answer.model for answer in answers if answer.model}
    return ComponentSchemas(
        bodies={each.body for each in operations if each.body},
        queries={each.query for each in operations if each.query},
        shown=views.union(*(answer.events for answer in answers), CONTENTS.values()),
        others=problem_schemas.of_errors(
            {error for each in operations for error in each.all_problems}
        ),
    )


_documents: WeakKeyDictionary[Starlette, PackedDocument] = WeakKeyDictionary()
"""Of each application its description, once somebody has asked for it."""


@endpoint(
    "GET /openapi.json",
    "This description",
    description="Of the release that answers. It changes only with that.",
    answers={
        HTTPStatus.OK: Answer("An OpenAPI 3.1 document."),
        HTTPStatus.NOT_MODIFIED: Answer("It is what If-None-Match says."),
    },
    access="anybody",
)
async def get_description(call: Call[None]) -> Response:
    """Gives the description, which is made once."""
    app: Starlette = call.request.app
    if app not in _documents:
        content = bytes(JSONResponse(describe(app.routes)).body)
        _documents[app] = PackedDocument.of(content, "application/json")
    return _documents[app].answer(call.request)


routes: list[BaseRoute] = [get_description]
