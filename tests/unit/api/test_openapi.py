"""The description is the interface: every route in it, nothing else, every reference whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from inspect import unwrap
from typing import Any

import jsonschema_rs
import pytest

from app.api import problem_schemas
from app.api.openapi import describe, listed_of
from app.api.operation import OperationRoute
from app.api.tags import TAGS
from app.captures import rendition_kinds
from app.errors import CaptureFailed, ReplayError
from app.events.contents import CONTENTS
from app.main import ROUTES
from app.models import EventName, FailureReason
from app.models.durations import PATTERN, parse_duration
from app.models.word_schema import LIST
from tests import readme

DOCUMENT = json.loads(json.dumps(describe(ROUTES)))
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]

# the contract that outside checks hold
PROMISED = {
    "POST /webhooks/livekit",
    "GET /v1/buffers",
    "GET /v1/buffers/{buffer_id}",
    "DELETE /v1/buffers/{buffer_id}",
    "GET /v1/buffers/{buffer_id}/playlist.m3u8",
    "GET /v1/buffers/{buffer_id}/replay.mp4",
    "GET /v1/buffers/{buffer_id}/poster.jpg",
    "GET /v1/buffers/{buffer_id}/thumbnails.vtt",
    "GET /v1/segments/{name}",
    "POST /v1/captures",
    "GET /v1/captures/{capture_id}",
    "GET /v1/captures/{capture_id}/events",
    "GET /v1/captures/{capture_id}/playlist.m3u8",
    "DELETE /v1/captures/{capture_id}",
    "GET /v1/clips",
    "GET /v1/clips/{clip_id}",
    "PATCH /v1/clips/{clip_id}",
    "DELETE /v1/clips/{clip_id}",
    "POST /v1/clips/{clip_id}/restore",
    "GET /v1/clips/{clip_id}/poster.jpg",
    "GET /v1/clips/{clip_id}/thumbnails.vtt",
    "GET /v1/clips/{clip_id}/thumbnails.jpg",
    "GET /v1/files/{file_id}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /openapi.json",
}
OPEN = {"/healthz", "/readyz", "/openapi.json"}
LINKS = {"/c/{secret}", "/c/{secret}/embed", "/c/{secret}/poster.jpg", "/oembed"}
KEYWORDS = {
    "$ref", "type", "enum", "const", "format", "pattern", "description", "default", "examples",
    "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "allOf", "minimum",
    "contentMediaType", "contentSchema", "maximum", "exclusiveMinimum", "minLength", "maxLength",
    "maxItems", "minItems", "multipleOf", "title",
}  # fmt: skip
"""Of JSON Schema: those that the description needs."""
VERBS = "assign|cancel|change|create|delete|end|get|list|receive|release|remove|request|restore"
VERBS += "|resume|send|set|share|stop|trim"


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


def schemas_in(schema: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and those within it, each with its place."""
    yield where, schema
    for name, child in schema.get("properties", {}).items():
        yield from schemas_in(child, f"{where}.{name}")
    for keyword in ("anyOf", "oneOf", "allOf"):
        for child in schema.get(keyword, ()):
            yield from schemas_in(child, where)
    for keyword in ("items", "additionalProperties"):
        if isinstance(child := schema.get(keyword), dict):
            yield from schemas_in(child, f"{where}[]")


def every_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    """Those of components, parameters and headers, with all within them."""
    for name, schema in SCHEMAS.items():
        yield from schemas_in(schema, name)
    for method, path, operation in OPERATIONS:
        for each in operation["parameters"]:
            yield from schemas_in(each["schema"], f"{method} {path} {each['name']}")


def taken(schema: dict[str, Any], value: Any) -> bool:
    """Whether a schema of the document takes a value, formats included."""
    whole = schema | {"components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value)


def test_every_route_is_described_and_nothing_else_is() -> None:
    """HEAD is told of once, for all that take GET."""
    served = {
        (method, route.path_format)
        for route in listed_of(ROUTES)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert {(method, path) for method, path, _ in OPERATIONS} == served
    assert "HEAD" in DOCUMENT["info"]["description"]
    assert all("HEAD" in (r.methods or ()) for r in listed_of(ROUTES) if "GET" in (r.methods or ()))
    # The console is a page and its parts, the reference a page, the kit a module: for browsers.
    listed = {route.path for route in listed_of(ROUTES)}
    pages = {"/", "/console", "/docs", "/c/{rest:path}", "/kit/replay.js", "/kit/replay.d.ts"}
    assert {getattr(route, "path", "") for route in ROUTES} - listed == pages


def test_what_was_promised_is_there() -> None:
    assert {f"{method} {path}" for method, path, _ in OPERATIONS} >= PROMISED


def test_every_operation_has_an_id_of_its_own() -> None:
    """A verb and what it is done to: generators of clients name functions so."""
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if not re.fullmatch(rf"({VERBS})(_[a-z]+)+", each)] == []


def test_the_function_of_an_operation_says_what_it_is_about() -> None:
    """Its docstring names what its name does: `Lists all markers`, and not `All of them`."""
    lost = []
    for route in listed_of(ROUTES):
        name, told = route.endpoint.__name__, (route.endpoint.__doc__ or "").lower()
        nouns = [word[:4] for word in name.split("_")[1:]]
        lost += [] if any(noun in told for noun in nouns) else [name]
    assert lost == []


def test_every_operation_is_in_a_group() -> None:
    """One that the document has words for."""
    assert {each["name"] for each in DOCUMENT["tags"]} == TAGS.keys()
    assert [len(operation["tags"]) for _, _, operation in OPERATIONS] == [1] * len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    for node in nodes(DOCUMENT):
        if "$ref" in node:
            _, *steps = node["$ref"].split("/")
            target = DOCUMENT
            for step in steps:
                target = target[step]


def test_every_schema_is_used() -> None:
    text = json.dumps(DOCUMENT)
    for name in SCHEMAS:
        assert f'"#/components/schemas/{name}"' in text, name


def test_schemas_say_nothing_that_json_schema_does_not_know() -> None:
    """A keyword of ours would hold nobody to anything."""
    found = {(where, word) for where, schema in every_schema() for word in schema.keys() - KEYWORDS}
    assert found == set()
    assert LIST not in json.dumps(DOCUMENT)


def test_every_member_and_parameter_is_described() -> None:
    """And every schema, operation and answer."""
    silent = [
        f"{where}.{name}"
        for where, schema in every_schema()
        for name, member in schema.get("properties", {}).items()
        if not member.get("description", "").strip()
    ]
    silent += [name for name, schema in SCHEMAS.items() if not schema.get("description")]
    for method, path, operation in OPERATIONS:
        told = [operation, *operation["parameters"], *operation["responses"].values()]
        silent += [f"{method} {path}" for each in told if not each.get("description", "").strip()]
    assert silent == []


def test_every_time_has_its_format() -> None:
    """Whatever is called as instants are, but for texts that are lengths."""
    named = re.compile(r"\.(at|since|until|start|end|oldest|newest|\w+_at|\w+_until)$")
    found = [(where, s) for where, s in every_schema() if named.search(where) and s.get("type")]
    assert len(found) > 30
    texts = [(where, s) for where, s in found if s["type"] == "string" and "pattern" not in s]
    wrong = {where for where, s in texts if s.get("format") is None}
    assert wrong == set()


KINDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "url": lambda schema: schema.get("format") in {"uri", "uri-reference"},
    "at": lambda schema: schema.get("format") == "date-time",
    "id": lambda schema: schema.get("type") == "string",
    "bytes": lambda schema: schema.get("type") == "integer",
    "seconds": lambda schema: schema.get("type") in {"number", "integer"},
}
OTHERS = {"CloudEvent", "Oembed", "Webhook", "GET /oembed"}
"""Whose names others have chosen, or hold those of before."""


def test_names_say_what_they_hold() -> None:
    """By their ends: URLs, instants, ids, bytes, seconds; and every URL is called one."""
    wrong, count = set(), 0
    for where, schema in every_schema():
        end = re.split(r"[._ ]", where)[-1]
        if schema.get("type") == "null" or any(each in where for each in OTHERS):
            continue
        if (fits := KINDS.get(end)) and not {"anyOf", "$ref"} & schema.keys():
            count += 1
            wrong |= set() if fits(schema) else {where}
        if KINDS["url"](schema) and end != "url":
            wrong.add(where)
    assert wrong == set()
    assert count > 60


def test_every_example_is_one() -> None:
    """Of members, of bodies, of answers: what the schema beside it takes."""
    wrong, count = [], 0
    for where, schema in every_schema():
        for example in schema.get("examples", ()):
            count += 1
            wrong += [] if taken(schema, example) else [(where, example)]
    for method, path, operation in OPERATIONS:
        content = [*operation.get("requestBody", {}).get("content", {}).values()]
        for answer in operation["responses"].values():
            content += answer.get("content", {}).values()
        for each in content:
            examples = [one["value"] for one in each.get("examples", {}).values()]
            examples += [each["example"]] if "example" in each else []
            count += len(examples)
            wrong += [
                (f"{method} {path}", one) for one in examples if not taken(each["schema"], one)
            ]
    assert wrong == []
    assert count > 300


def test_every_body_has_examples_that_the_service_takes() -> None:
    """Rules between members, which no schema says, too."""
    for route in listed_of(ROUTES):
        if route.operation.body:
            extra: Any = route.operation.body.model_config["json_schema_extra"]
            assert extra["examples"]
            for example in extra["examples"]:
                route.operation.body.model_validate_json(json.dumps(example))


def test_every_answer_of_json_has_an_example() -> None:
    """Made of those of its members: each of them has one, or is of a closed list."""
    for method, path, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            found = answer.get("content", {}).get("application/json")
            assert found is None or found["example"], (method, path, status)


@pytest.mark.parametrize("given", [30, 0.5, "30", "30s", "2m", "1m30s", "1.5h"])
def test_a_duration_is_a_number_or_a_text(given: float | str) -> None:
    """As the READMEs write it."""
    last = SCHEMAS["CaptureRequest"]["properties"]["last"]
    assert taken(last, given)
    assert re.fullmatch(PATTERN, str(given))
    parse_duration(str(given))


@pytest.mark.parametrize("given", [0, -5, "", "30 s", "PT30S", "s", "1d", True, []])
def test_what_is_no_duration_is_none_in_the_schema(given: object) -> None:
    """Nothing else is."""
    assert not taken(SCHEMAS["CaptureRequest"]["properties"]["last"], given)


def test_members_of_bodies_that_may_be_left_out_have_their_default_in_words() -> None:
    """openapi-typescript takes a member with the keyword for one that must be given."""
    for _, path, operation in OPERATIONS:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            name = content["schema"]["$ref"].rpartition("/")[2]
            told = json.dumps(SCHEMAS[name]["properties"])
            assert '"default":' not in told, (path, name)
    tail = SCHEMAS["CaptureRequest"]["properties"]["tail"]
    assert tail["description"].endswith('Default: `"include"`.')


def test_bounds_are_those_of_json_schema() -> None:
    """`post_roll` is from 0 to 60, `last` more than 0, `link_days` more than 0."""
    members = SCHEMAS["CaptureRequest"]["properties"]
    (last, *_) = members["last"]["anyOf"]
    (roll, *_) = members["post_roll"]["anyOf"]
    (days, *_) = SCHEMAS["ClipChange"]["properties"]["link_days"]["anyOf"]
    assert last["exclusiveMinimum"] == days["exclusiveMinimum"] == 0
    assert (roll["minimum"], roll["maximum"]) == (0, 60)


def test_closed_lists_are_enums() -> None:
    """What an answer may hold is known to who generates a client."""
    words = {
        where: schema.get("$ref", schema.get("enum"))
        for where, schema in every_schema()
        if re.search(
            r"View\.(state|status|stage|cut|clock|visibility|role|access|capture_policy|action|why|"
            r"reason|event|level)$|View\.(notes|grants)\[\]$",
            where,
        )
        and where != "DeletionRequestView.reason"  # in somebody's words
        and schema.get("type") != "null"
        and "anyOf" not in schema
    }
    assert len(words) > 20
    assert {where for where, listed in words.items() if not listed} == set()


def test_reasons_of_failures_are_those_that_errors_have() -> None:
    """The closed list is that of the slugs."""
    assert set(FailureReason) == readme.reasons().keys()


def test_every_type_of_problem_has_its_schema() -> None:
    """Each of a name of its own, and named by what may answer with it."""
    errors = [each for each in every_error(ReplayError) if not issubclass(each, CaptureFailed)]
    names = {problem_schemas.name_of(each): each.slug for each in errors}
    assert len(names) == len({each.slug for each in errors})
    for name, schema in SCHEMAS.items():
        if name.endswith("Problem"):
            (slug,) = schema["properties"]["type"]["enum"]
            assert names.get(name, ReplayError.slug) == slug


def test_events_of_streams_are_typed() -> None:
    """A name, and the schema of what it says."""
    events = {
        reference["$ref"].rpartition("/")[2]
        for _, _, operation in OPERATIONS
        for answer in operation["responses"].values()
        if (found := answer.get("content", {}).get("text/event-stream"))
        for reference in found["schema"].get("oneOf", [found["schema"]])
    }
    assert events == {"CaptureEvent", "SnapshotEvent", "BufferEvent", "GoneEvent"}
    for name in events:
        data = SCHEMAS[name]["properties"]["data"]
        assert (data["type"], data["contentMediaType"]) == ("string", "application/json")
        assert "$ref" in data["contentSchema"]
        assert len(SCHEMAS[name]["properties"]["event"]["enum"]) == 1


def test_every_event_is_described_field_by_field() -> None:
    """A webhook for each, with an example that its schema takes; none without its content."""
    webhooks = DOCUMENT["webhooks"]
    assert webhooks.keys() == set(EventName) == CONTENTS.keys()
    for name, methods in webhooks.items():
        members = CONTENTS[name].model_fields
        plain, like_livekit = methods["post"]["requestBody"]["content"].values()
        for content in (plain, like_livekit):
            assert taken(content["schema"], content["example"])
        data, replay = plain["example"]["data"], like_livekit["example"]["replay"]
        assert data.keys() == {"number", "room", "room_sid", "identity", *members}
        assert replay.keys() == {"number", *(each.alias or n for n, each in members.items())}
        assert plain["example"]["type"] == like_livekit["example"]["event"] == name
        assert not taken(plain["schema"], plain["example"] | {"data": {"number": 1}})
        assert not taken(
            like_livekit["schema"], like_livekit["example"] | {"replay": {"number": 1}}
        )


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


def test_a_file_is_said_to_be_of_any_type_that_clips_and_renditions_have() -> None:
    """Whole, or a range of it: generated clients refuse what is not named."""
    types = {kind.media_type for kind in rendition_kinds.KINDS.values()}
    answers = DOCUMENT["paths"]["/v1/files/{file_id}"]["get"]["responses"]
    for status in ("200", "206"):
        assert set(answers[status]["content"]) == types | {"video/mp4"}
