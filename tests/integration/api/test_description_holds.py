"""The description is true: whatever is sent, by whomever, every answer is one that it names.

Requests are generated from /openapi.json, right ones and wrong ones, half of them right ones about
things that exist; what comes back is held to the statuses, media types, headers and schemas in it.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.access import communities
from app.buffer import markers
from app.context import Context
from app.models import EventState
from app.models.schema import OutgoingEvent
from app.settings import Settings
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.captures.checking import work_on
from tests.integration.clips.rows import add_clip
from tests.integration.conftest import MakeSettings
from tests.waiting import PATIENCE_SECONDS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 3
"""Of each operation, right or wrong, and as many right ones about what exists; each is sent by all
callers. Hypothesis draws from constants of whatever is imported, so nothing is left to its luck."""
LONGEST_URL = 60_000
"""httpx itself sends none of more than 65,536 characters."""
CALLERS: dict[str, dict[str, str]] = {
    "nobody": {},
    "stranger": STRANGER,
    "room admin": ROOM_ADMIN,
    "community admin": bearer(token("carl")),
    "owner": OWNER,
    "instance admin": INSTANCE_ADMIN,
}
SLOW = {"get_capture_events"}
"""Ends only with its capture: asked for here only about one that is over."""

ENDLESS = {"get_buffer_events"}
"""Ends only with its caller's token: test_buffer_events asks for it."""

UNREADY = {"get_readiness", "get_file"}
"""Says 503 here, where no LiveKit, worker or indexer runs, and shall: of a file, whose copy for
others nobody makes."""


@pytest.fixture(name="settings")
def without_limits(make_settings: MakeSettings) -> Settings:
    """Hundreds of requests are sent in a minute, and each shall be looked at."""
    return make_settings(requests_per_minute=0)


@pytest.fixture
async def things(http: httpx.AsyncClient, share: MakeShare, ctx: Context) -> dict[str, list[str]]:
    """What there is, by the name of the path parameter that means it."""
    made = await share()
    await communities.set_member(ctx.store, "guests", "carl", "admin", [])
    body = {"room": ROOM, "last": 5, "tail": "skip", "title": "<b>& 🎬"}
    told = (await http.post("/captures", json=body, headers=OWNER)).json()
    await work_on(ctx, told["id"])
    clip = (await http.get(f"/clips/{told['clip_id']}", headers=OWNER)).json()
    path, gif = f"/v1/clips/{clip['id']}/renditions", {"format": "gif"}
    rendition = (await http.post(path, json=gif, headers=OWNER)).json()
    now = datetime.now(UTC) - timedelta(days=2)
    event = OutgoingEvent(
        id="dead", room=ROOM, room_sid="RM", identity="ann", number=99, event="buffer_started",
        data={}, created_at=now, next_try_at=now, state=EventState.DEAD
    )  # fmt: skip
    await ctx.store.create(event)
    marker = await markers.make(ctx, made.buffer_id, made.start, "", "ann")
    # Another clip: nobody changes it meanwhile.
    await add_clip(ctx, "linked")
    body = {"visibility": "link"}
    linked = (await http.patch("/clips/linked", json=body, headers=OWNER)).json()
    return {
        "secret": [linked["page_url"].rpartition("/")[2]],
        "marker_id": [marker["_id"]],
        "buffer_id": [made.buffer_id],
        "name": [f"{made.session_id}-0.m4s"],
        "capture_id": [told["id"]],
        "clip_id": [clip["id"]],
        "file_id": [clip["file_id"]],
        "rendition_id": [rendition["id"]],
        "community": ["guests", "default"],
        "identity": ["ann", "carl"],
        "room": [ROOM, "lounge"],
        "event_id": ["dead"],
    }


Case = schemathesis.Case[Any]
Operation = schemathesis.APIOperation[Any, Any, Any, Any]


def right_cases(operation: Operation) -> st.SearchStrategy[Case]:
    """Requests as the description wants them."""
    right: st.SearchStrategy[Case] = operation.as_strategy(
        generation_mode=schemathesis.GenerationMode.POSITIVE
    )
    return right


def cases(operation: Operation) -> st.SearchStrategy[Case]:
    """Requests right and wrong."""
    wrong = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    return st.one_of(right_cases(operation), wrong)


async def test_every_answer_is_one_that_the_description_names(
    http: httpx.AsyncClient, things: dict[str, list[str]]
) -> None:
    document = (await http.get("/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(document)))
    loop = asyncio.get_running_loop()
    asked: dict[str, set[int]] = {}

    def send(case: Case, headers: dict[str, str]) -> httpx.Response:
        sent = requests.Request(**case.as_transport_kwargs("http://replay.test")).prepare()
        assume(len(sent.url or "") <= LONGEST_URL)
        own: dict[str, Any] = {
            name: value for name, value in sent.headers.items() if name != "Authorization"
        }
        body: Any = sent.body  # of what kinds it may be, requests and httpx say differently
        request = http.build_request(
            sent.method or "", sent.url or "", content=body, headers={**own, **headers}
        )
        return asyncio.run_coroutine_threadsafe(http.send(request), loop).result(PATIENCE_SECONDS)

    def examine(operation: Operation) -> None:
        name = operation.definition.raw["operationId"]

        def about_known(case: Case, pick: Any) -> None:
            for parameter in case.path_parameters or {}:
                case.path_parameters[parameter] = pick.choice(things[parameter])

        def examine_case(case: Case) -> None:
            for headers in CALLERS.values():
                answer = send(case, headers)
                checks = CHECKS[1:] if name in UNREADY else CHECKS
                case.validate_response(answer, checks=checks)
                asked.setdefault(name, set()).add(answer.status_code)

        few = settings(
            max_examples=EXAMPLES,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

        @few
        @given(case=cases(operation), pick=st.randoms(use_true_random=False))
        def about_anything(case: Case, pick: Any) -> None:
            if name in SLOW:
                about_known(case, pick)
            examine_case(case)

        @few
        @given(case=right_cases(operation), pick=st.randoms(use_true_random=False))
        def about_what_exists(case: Case, pick: Any) -> None:
            about_known(case, pick)
            examine_case(case)

        about_anything()
        about_what_exists()

    every: Any = schema.get_all_operations()
    found = [found.ok() for found in every]
    operations = [op for op in found if op.definition.raw["operationId"] not in ENDLESS]
    # Deletions last: the others need something to be about.
    for operation in sorted(operations, key=lambda each: each.method == "delete"):
        await asyncio.to_thread(examine, operation)
    paths = document["paths"].values()
    assert len(asked) == sum(len(methods) for methods in paths) - len(ENDLESS)
    # That something was tried at all: most operations were refused, and allowed.
    good = {name for name, seen in asked.items() if any(status < 400 for status in seen)}
    assert len(good) > len(asked) * 0.7, asked
    assert all(401 in seen for name, seen in asked.items() if name.startswith("list_"))
