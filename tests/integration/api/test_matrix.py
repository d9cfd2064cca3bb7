"""Every route against every kind of caller: one table of statuses, and no word too many."""

from __future__ import annotations

from typing import Any

import httpx

from app.access import communities
from app.api.openapi import listed_of
from app.api.versions import current
from app.buffer import markers
from app.context import Context
from app.main import ROUTES
from app.models.schema import Buffer, Segment
from tests.integration.api.conftest import (
    INSTANCE_ADMIN,
    OWNER,
    ROOM,
    ROOM_ADMIN,
    SHARER,
    STRANGER,
    MakeShare,
    bearer,
    token,
)
from tests.integration.captures.checking import work_on

TITLE = "The secret plan"
# No EVENTS_URL is set here, so whoever may share a clip is told that no chat would hear of it.
# The share is of the community "guests", where holders of CAPTURE_REPLAY may capture.
CALLERS = {
    "elsewhere": bearer(token(SHARER, room="other")),
    "member": STRANGER,
    "moderator": bearer(token("mona")),
    "other admin": bearer(token("eli")),
    "admin": bearer(token("carl")),
    "room admin": ROOM_ADMIN,
    "owner": OWNER,
    "operator": INSTANCE_ADMIN,
}
"""The sharer with a token for another room; somebody in the room; a moderator of the community; an
admin of another community; one of this; an admin of the room; the sharer; the instance's admin."""

LAST = {"last": 3, "tail": "skip"}
BY_BUFFER = LAST | {"buffer_id": "{buffer}"}
BY_NAME = LAST | {"room": ROOM, "sharer": SHARER}
MOMENT = {"last": 600, "tail": "skip"}
SHARED: dict[str, Any] = {"channel_id": "general"}
BAD = "0" * 24
# fmt: off
MATRIX: list[tuple[str, dict[str, Any] | None, tuple[int, ...]]] = [
    # route, body                                          else memb mod  oadm adm  radm own  oper
    ("POST /session", None,                               (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /session", None,                                (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /buffers", None,                                (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /buffers/events", None,                         (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}", None,                       (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}/playlist.m3u8", None,         (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}/replay.mp4?last=5", None,     (404, 404, 307, 404, 307, 307, 307, 307)),
    ("GET /buffers/{buffer}/poster.jpg", None,            (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}/thumbnails.vtt?last=5", None, (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}/thumbnails.jpg?{tiles}", None,
                                                          (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /buffers/{buffer}/waveform?last=5", None,       (404, 404, 200, 404, 200, 200, 200, 200)),
    ("POST /buffers/{buffer}/markers", {"label": TITLE},  (404, 404, 201, 404, 201, 201, 201, 201)),
    ("GET /buffers/{buffer}/markers", None,               (404, 404, 200, 404, 200, 200, 200, 200)),
    ("DELETE /buffers/{buffer}/markers/{marker}", None,   (404, 404, 403, 404, 403, 204, 404, 404)),
    ("GET /segments/{session}-0.m4s", None,               (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /segments/{session}-{init}.mp4", None,          (404, 404, 200, 404, 200, 200, 200, 200)),
    ("GET /rooms/room/timeline", None,                    (404, 404, 200, 404, 200, 200, 200, 200)),
    ("POST /buffers/{buffer}/stop", {},                   (404, 404, 403, 404, 202, 202, 202, 202)),
    ("POST /buffers/{buffer}/resume", None,               (404, 404, 403, 404, 202, 403, 202, 202)),
    ("POST /captures", BY_BUFFER,                         (404, 404, 202, 404, 202, 202, 202, 202)),
    ("POST /captures", BY_NAME,                           (403, 403, 202, 403, 202, 202, 202, 202)),
    ("POST /rooms/room/captures", MOMENT,                 (404, 404, 202, 404, 202, 202, 202, 202)),
    ("GET /captures/{capture}", None,                     (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /captures/{capture}/events", None,              (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /captures/{capture}/playlist.m3u8", None,       (404, 404, 404, 404, 404, 404, 200, 200)),
    ("DELETE /captures/{capture}", None,                  (404, 404, 404, 404, 404, 404, 409, 409)),
    ("GET /clips", None,                                  (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /clips/{clip}", None,                           (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /clips/{clip}/poster.jpg", None,                (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /clips/{clip}/thumbnails.vtt", None,            (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /clips/{clip}/thumbnails.jpg", None,            (404, 404, 404, 404, 404, 404, 200, 200)),
    ("PATCH /clips/{clip}", {"keep": True},               (404, 404, 404, 404, 404, 404, 200, 200)),
    ("POST /clips/{clip}/restore", None,                  (404, 404, 404, 404, 404, 404, 200, 200)),
    ("POST /clips/{clip}/trim", {"end": 1},               (404, 404, 404, 404, 404, 404, 202, 403)),
    ("POST /clips/{clip}/renditions", {"format": "gif"},  (404, 404, 404, 404, 404, 404, 202, 403)),
    ("GET /clips/{clip}/renditions", None,                (404, 404, 404, 404, 404, 404, 200, 200)),
    ("DELETE /clips/{clip}/renditions/unknown", None,     (404, 404, 404, 404, 404, 404, 404, 404)),
    ("POST /clips/{clip}/request-deletion", None,         (404, 404, 404, 404, 404, 404, 403, 200)),
    ("POST /clips/{clip}/share", SHARED,                  (404, 404, 404, 404, 404, 404, 409, 409)),
    ("GET /files/{file}", None,                           (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /archives/clips.zip?files={file}", None,        (404, 404, 404, 404, 404, 404, 200, 200)),
    ("POST /archives", {"clip_ids": ["{clip}"]},          (404, 404, 404, 404, 404, 404, 200, 200)),
    ("GET /quota", None,                                  (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /quota/clips", None,                            (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /users", None,                                  (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /users/ann/quota", None,                        (403, 403, 403, 403, 403, 403, 403, 200)),
    ("PUT /users/ann/quota", {"quota_bytes": 10**9},      (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /communities", None,                            (200, 200, 200, 200, 200, 200, 200, 200)),
    ("GET /communities/guests/members", None,             (403, 403, 403, 403, 200, 403, 403, 200)),
    ("GET /communities/guests/config", None,              (403, 403, 403, 403, 200, 403, 403, 200)),
    ("PUT /communities/guests/config", {},                (403, 403, 403, 403, 200, 403, 403, 200)),
    ("GET /communities/guests/members/mona", None,        (403, 403, 403, 403, 200, 403, 403, 200)),
    ("PUT /communities/guests/members/zoe", {},           (403, 403, 403, 403, 200, 403, 403, 200)),
    ("DELETE /communities/guests/members/zoe", None,      (403, 403, 403, 403, 204, 403, 403, 204)),
    ("GET /communities/guests/rooms", None,               (403, 403, 403, 403, 200, 403, 403, 200)),
    ("PUT /communities/guests/rooms/lounge", None,        (403, 403, 403, 403, 403, 403, 403, 200)),
    ("DELETE /communities/guests/rooms/lounge", None,     (403, 403, 403, 403, 403, 403, 403, 204)),
    ("GET /communities/elsewhere/config", None,           (403, 403, 403, 200, 403, 403, 403, 200)),
    ("GET /operations/history", None,                     (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /operations/captures", None,                    (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /operations/checks", None,                      (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /audit", None,                                  (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /events", None,                                 (403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET /events/unknown", None,                         (403, 403, 403, 403, 403, 403, 403, 404)),
    ("POST /events/ping", {},                             (403, 403, 403, 403, 403, 403, 403, 409)),
    ("POST /events/unknown/send", None,                   (403, 403, 403, 403, 403, 403, 403, 404)),
    ("DELETE /buffers/{buffer}?last=1", None,             (404, 404, 403, 404, 204, 204, 204, 204)),
    ("DELETE /buffers/{buffer}", None,                    (404, 404, 403, 404, 204, 204, 204, 204)),
    ("GET /clips?deleted=true", None,                     (200, 200, 200, 200, 200, 200, 200, 200)),
    ("DELETE /clips/{clip}?purge=true", None,             (404, 404, 404, 404, 404, 404, 204, 204)),
    ("DELETE /users/zoe/sessions", None,                  (403, 403, 403, 403, 403, 403, 403, 204)),
    ("DELETE /sessions", None,                            (204, 204, 204, 204, 204, 204, 204, 204)),
]
# fmt: on
ENDLESS = {"GET /buffers/events"}
"""Answers that go on: asked for with HEAD here, whose status is the same."""
OF_ALL_ROOMS = {("elsewhere", "GET /quota/clips")}
"""What tells an owner of clips in other rooms than their token's."""


def test_every_guarded_route_is_in_the_matrix() -> None:
    guarded = {
        (method, route.path_regex)
        for route in listed_of(ROUTES)
        if route.operation.access.startswith("token")
        for method in (route.methods or set()) - {"HEAD"}
    }
    asked = [line.split("?")[0].split(" ") for line, _, _ in MATRIX]
    listed = [(method, current(path)) for method, path in asked]
    missing = [
        (method, regex.pattern)
        for method, regex in guarded
        if not any(method == given and regex.match(path) for given, path in listed)
    ]
    assert missing == []


def filled(body: Any, names: dict[str, str]) -> Any:
    """A body whose texts have the names of what there is."""
    match body:
        case dict():
            return {name: filled(each, names) for name, each in body.items()}
        case list():
            return [filled(each, names) for each in body]
        case str():
            return body.format(**names)
    return body


async def test_each_caller_gets_what_is_theirs_and_no_word_more(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """With the token of LiveKit, and to read with one of ours; HEAD as GET."""
    await communities.configure(ctx.store, "guests", {"capture_policy": "role"})
    await communities.set_member(ctx.store, "guests", "mona", "moderator", [])
    await communities.set_member(ctx.store, "guests", "carl", "admin", [])
    await communities.set_member(ctx.store, "elsewhere", "eli", "admin", [])
    made = await share()
    of_guests = {"$set": {"community": "guests"}}
    await ctx.store.rows(Buffer).update_one({"_id": made.buffer_id}, of_guests)
    titled = BY_NAME | {"title": TITLE}
    told = (await http.post("/v1/captures", json=titled, headers=OWNER)).json()
    await work_on(ctx, told["id"])
    clip = (await http.get(f"/v1/clips/{told['clip_id']}", headers=OWNER)).json()
    segment = await ctx.store.rows(Segment).find_one({"session_id": made.session_id})
    assert segment is not None
    marker = await markers.make(ctx, made.buffer_id, made.start, TITLE, SHARER)
    names = {
        "buffer": made.buffer_id,
        "marker": marker["_id"],
        "session": made.session_id,
        "init": segment["init_id"],
        "tiles": f"tiles={made.session_id}.0-1&every=1&width=160&height=120",
        "capture": told["id"],
        "clip": clip["id"],
        "file": clip["file_id"],
    }
    sessions = {
        who: bearer((await http.post("/v1/session", headers=headers)).json()["token"])
        for who, headers in CALLERS.items()
    }
    hidden = (TITLE, made.session_id, clip["id"], clip["file_id"])
    for line, body, statuses in MATRIX:
        method, path = line.format(**names).split()
        path = current(path)
        method = "HEAD" if line in ENDLESS else method
        given = body and filled(body, names)
        for who, status in zip(CALLERS, statuses, strict=True):
            found = await http.request(method, path, json=given, headers=CALLERS[who])
            assert found.status_code == status, (who, line, found.text)
            strange = who in ("elsewhere", "member", "other admin")
            if status in (403, 404) or (strange and (who, line) not in OF_ALL_ROOMS):
                assert not [word for word in hidden if word in found.text], (who, line)
            if method == "GET":
                again = await http.get(path, headers=sessions[who])
                head = await http.head(path, headers=CALLERS[who])
                assert (again.status_code, head.status_code) == (status, status), (who, line)


async def test_what_is_not_there_is_as_what_is_hidden(
    http: httpx.AsyncClient, share: MakeShare, ctx: Context
) -> None:
    """A stranger gets the same answer, word for word, for a thing that exists and for none."""
    made = await share()
    body = {"room": ROOM, "last": 3, "tail": "skip"}
    told = (await http.post("/captures", json=body, headers=OWNER)).json()
    await work_on(ctx, told["id"])
    clip = (await http.get(f"/clips/{told['clip_id']}", headers=OWNER)).json()
    for path, known in (
        ("/buffers/{}", made.buffer_id),
        ("/buffers/{}/playlist.m3u8", made.buffer_id),
        ("/buffers/{}/replay.mp4?last=5", made.buffer_id),
        ("/segments/{}-0.m4s", made.session_id),
        ("/captures/{}", told["id"]),
        ("/captures/{}/events", told["id"]),
        ("/clips/{}", clip["id"]),
        ("/clips/{}/poster.jpg", clip["id"]),
        ("/files/{}", clip["file_id"]),
    ):
        hidden = await http.get(current(path.format(known)), headers=STRANGER)
        unknown = known[:9] + BAD[: len(known) - 9] if "-" in known else BAD
        none = await http.get(current(path.format(unknown)), headers=STRANGER)
        assert hidden.json() == none.json(), path
        assert hidden.status_code == none.status_code == 404
