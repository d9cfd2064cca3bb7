"""The description is the interface: every route in it, nothing else, every reference whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from inspect import unwrap
from typing import Any

from app.api.openapi import describe, listed_of
from app.api.operation import OperationRoute
from app.errors import ReplayError
from app.main import ROUTES

DOCUMENT = json.loads(json.dumps(describe(ROUTES)))
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]

# the contract that outside checks hold
PROMISED = {
    "POST /webhooks/livekit",
    "GET /buffers",
    "GET /buffers/{buffer_id}",
    "DELETE /buffers/{buffer_id}",
    "GET /buffers/{buffer_id}/playlist.m3u8",
    "GET /buffers/{buffer_id}/replay.mp4",
    "GET /buffers/{buffer_id}/poster.jpg",
    "GET /buffers/{buffer_id}/thumbnails.vtt",
    "GET /segments/{name}",
    "POST /captures",
    "GET /captures/{capture_id}",
    "GET /captures/{capture_id}/events",
    "GET /captures/{capture_id}/playlist.m3u8",
    "DELETE /captures/{capture_id}",
    "GET /clips",
    "GET /clips/{clip_id}",
    "PATCH /clips/{clip_id}",
    "DELETE /clips/{clip_id}",
    "POST /clips/{clip_id}/restore",
    "GET /clips/{clip_id}/poster.jpg",
    "GET /clips/{clip_id}/thumbnails.vtt",
    "GET /clips/{clip_id}/thumbnails.jpg",
    "GET /file/{file_id}",
    "HEAD /file/{file_id}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /openapi.json",
}
OPEN = {"/healthz", "/readyz", "/openapi.json"}
LINKS = {"/c/{secret}", "/c/{secret}/embed", "/c/{secret}/poster.jpg", "/oembed"}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


def test_every_route_is_described_and_nothing_else_is() -> None:
    served = {
        (method, route.path_format) for route in listed_of(ROUTES) for method in route.methods or ()
    }
    assert {(method, path) for method, path, _ in OPERATIONS} == served
    # The console is a page and its parts, for browsers; nothing is below a link that isn't listed.
    listed = {route.path for route in listed_of(ROUTES)}
    pages = {"/", "/console", "/c/{rest:path}"}
    assert {getattr(route, "path", "") for route in ROUTES} - listed == pages


def test_what_was_promised_is_there() -> None:
    assert {f"{method} {path}" for method, path, _ in OPERATIONS} >= PROMISED


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    for node in nodes(DOCUMENT):
        if "$ref" in node:
            _, *steps = node["$ref"].split("/")
            target = DOCUMENT
            for step in steps:
                target = target[step]


def test_every_schema_is_used() -> None:
    text = json.dumps(DOCUMENT)
    for name in DOCUMENT["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name


def test_path_parameters_are_those_of_the_path() -> None:
    for _, path, operation in OPERATIONS:
        named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert named == re.findall(r"{(\w+)}", path)


def test_only_what_machines_ask_and_what_a_link_opens_is_open_to_anybody() -> None:
    found = {path for _, path, operation in OPERATIONS if not operation["security"]}
    assert found == OPEN | LINKS


def undeclared(route: OperationRoute) -> set[str]:
    """Problems that an endpoint's own code raises by name, and its operation doesn't tell of."""
    known = {error.__name__ for error in every_error(ReplayError)}
    raised = set(unwrap(route.endpoint).__code__.co_names) & known
    return raised - {error.__name__ for error in route.operation.all_problems} - {"Unauthorized"}


def test_every_problem_that_an_endpoint_raises_by_name_is_declared() -> None:
    """An endpoint's own `raise X(...)` stands among its problems."""
    routes = list(listed_of(ROUTES))
    assert routes
    wrong = {f"{sorted(route.methods or ())} {route.path}": undeclared(route) for route in routes}
    assert {route: problems for route, problems in wrong.items() if problems} == {}


def every_error(base: type[ReplayError]) -> Iterator[type[ReplayError]]:
    for error in base.__subclasses__():
        yield error
        yield from every_error(error)


def test_slugs_and_statuses_of_errors_are_as_stable_as_their_names() -> None:
    slugs = [error.slug for error in every_error(ReplayError)]
    for slug in slugs:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
