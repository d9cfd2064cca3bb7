"""Paths stand under a version; those of before go on to answer, as they did."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.routing import Match

from app.api import versions, wire
from app.api.audit_routes import AuditView
from app.api.buffer_views import BufferDetail, SpanView
from app.api.capture_views import Accepted, CaptureView
from app.api.clip_views import ClipView, Delivered
from app.api.marker_routes import MarkerView
from app.api.openapi import listed_of
from app.api.operation import OperationRoute
from app.api.share_routes import ShareView
from app.api.versions import CURRENT
from app.captures.requests import CaptureRequest
from app.main import ROUTES
from app.models import same_request

MACHINES = {"/webhooks/livekit", "/healthz", "/readyz", "/metrics", "/openapi.json"}
LINKS = {"/c/{secret}", "/c/{secret}/embed", "/c/{secret}/poster.jpg", "/oembed"}
UNVERSIONED = MACHINES | LINKS
MOVED = {"/v1/files/{file_id}": "/file/{file_id}"}
# Of the release before /v1: what its callers read.
NAMES: dict[type[wire.View], set[str]] = {
    BufferDetail: {
        "id", "room", "identity", "state", "why", "why_detail", "retry_at", "since", "ended_at",
        "oldest", "newest", "seconds", "audio", "sessions", "clock", "playlist_url", "replay_url",
        "poster", "thumbnails", "spans", "gaps", "markers",
    },
    SpanView: {"start", "end", "session", "audio", "width", "height"},
    Accepted: {"id", "status", "clip_id", "playlist", "Location"},
    CaptureView: {
        "status", "stage", "progress", "reason", "detail", "clip", "id", "clip_id", "buffer",
        "room", "identity", "title", "cut", "requested", "window", "notes", "playlist",
        "accepted_at", "finished_at",
    },
    ClipView: {
        "id", "title", "owner", "shared_by", "buffer", "room", "requested", "delivered", "gaps",
        "notes", "tail_lag", "hidden_head_seconds", "audio", "width", "height", "cut", "clock",
        "visibility", "link_url", "link_expires_at", "keep", "size", "checksum", "file_id", "url",
        "poster", "thumbnails", "created_at", "expires_at",
    },
    Delivered: {"start", "end", "duration"},
    MarkerView: {"id", "buffer_id", "at", "label", "by", "created_at", "kept_until"},
    AuditView: {"id", "at", "identity", "action", "subject", "room", "data"},
    ShareView: {"event", "channel_id", "message"},
}  # fmt: skip


def route_of(method: str, path: str) -> tuple[OperationRoute, dict[str, Any]] | None:
    """The first route that takes a request, as the router looks for it, and what it adds."""
    scope = {"type": "http", "method": method, "path": path, "headers": []}
    for route in listed_of(ROUTES):
        match, found = route.matches(scope)
        if match is Match.FULL:
            return route, dict(found)
    return None


def test_what_people_ask_stands_under_the_version_and_what_machines_ask_does_not() -> None:
    paths = {route.path for route in listed_of(ROUTES)}
    assert {path for path in paths if not path.startswith(f"{CURRENT}/")} == UNVERSIONED
    for path in UNVERSIONED:
        assert route_of("GET", CURRENT + path) is None
        assert route_of("POST", CURRENT + path) is None


def test_each_path_of_before_leads_where_its_successor_does() -> None:
    for route in listed_of(ROUTES):
        if route.path in UNVERSIONED:
            continue
        former = MOVED.get(route.path, route.path.removeprefix(CURRENT))
        for method in route.methods or ():
            for path, is_former in ((route.path, False), (former, True)):
                found = route_of(method, re.sub(r"{\w+}", "x", path))
                assert found is not None, path
                assert found[0] is route
                assert versions.is_former(found[1]) == is_former
                assert found[1]["path_params"] == dict.fromkeys(route.param_convertors, "x")
    assert route_of("GET", "/v1/file/x") is None
    assert route_of("GET", "/files/x") is None
    assert route_of("GET", "/v1/v1/clips") is None


@pytest.mark.parametrize("view", NAMES)
def test_answers_have_the_names_of_before_under_the_paths_of_before(view: type[wire.View]) -> None:
    names = {name: each.serialization_alias or name for name, each in view.model_fields.items()}
    assert set(names.values()) >= NAMES[view]
    assert len(set(names.values())) == len(names)


def test_requests_have_the_names_of_before_under_the_paths_of_before() -> None:
    names = {each.alias or name for name, each in CaptureRequest.model_fields.items()}
    assert names >= {"room", "identity", "share", "buffer", "last", "start", "end", "post_roll"}
    now = CaptureRequest.model_validate(
        {"room": "r", "sharer": "ann", "last": 5}, by_alias=False, by_name=True
    )
    before = CaptureRequest.model_validate({"room": "r", "identity": "ann", "last": 5})
    assert now == before
    # What an Idempotency-Key is compared by, in rows of the release before, too.
    hashed = same_request.hash_of(now)
    assert hashed == same_request.hash_of(before)
    assert hashed == "cb8bd4ef2756ce14d4b516237e6cbe22cde7bfa981b78070fcc4ae8c3e8efe02"
