"""Small servers that take messages as Slack, Discord, Matrix and Mattermost say that they do.

What each takes is in `tests/chat_schemas.py`; what each answers is from the same references.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.chat_schemas import (
    DISCORD_EMBEDS_CHARACTERS,
    MATRIX_ENVELOPE_BYTES,
    MATRIX_EVENT_BYTES,
    SCHEMAS,
)

SLACK_PATH = "/services/T00000000/B00000000/slack-secret-of-24-chars"
DISCORD_PATH = "/api/webhooks/123456789012345678/discord-secret-of-the-webhook"
DISCORD_THREAD = "223704706495545344"
MATTERMOST_PATH = "/hooks/mattermost-secret-26-chars"
MATRIX_PATH = "/_matrix/client/v3/rooms/!abc:example.com/send/m.room.message"
MATRIX_TOKEN = "syt_matrix-secret"
PATHS = {
    "slack": SLACK_PATH,
    "discord": f"{DISCORD_PATH}?thread_id={DISCORD_THREAD}",
    "matrix": MATRIX_PATH,
    "mattermost": MATTERMOST_PATH,
}


class ChatServers:
    """All four as one application; `taken`: by service the messages that fitted, in order."""

    def __init__(self) -> None:
        self.taken: dict[str, list[Any]] = {name: [] for name in SCHEMAS}
        self.transactions: list[str] = []
        self._refusals: dict[str, Response] = {}
        self.app = Starlette(
            routes=[
                Route(SLACK_PATH, self.slack, methods=["POST"]),
                Route(DISCORD_PATH, self.discord, methods=["POST"]),
                Route(MATTERMOST_PATH, self.mattermost, methods=["POST"]),
                Route(MATRIX_PATH + "/{transaction}", self.matrix, methods=["PUT"]),
            ]
        )

    def refuse(self, service: str, answer: Response) -> None:
        """Has a service answer so once, in place of taking a message."""
        self._refusals[service] = answer

    async def slack(self, request: Request) -> Response:
        """Answers with words, without JSON."""
        wrong = await self._wrong(request, "slack")
        if isinstance(wrong, Response):
            return wrong
        return PlainTextResponse(f"invalid_payload {wrong}", 400) if wrong else _ok()

    async def discord(self, request: Request) -> Response:
        """Tells of a message that it does not keep only whoever waits for it, by `wait`."""
        wrong = await self._wrong(request, "discord")
        if isinstance(wrong, Response):
            return wrong
        if request.query_params.get("wait") != "true":
            return Response(status_code=204)
        if request.query_params.get("thread_id") != DISCORD_THREAD:
            wrong.append("the thread is another one")
        if wrong:
            told = {"message": "Invalid Form Body", "code": 50035, "errors": {"all": wrong}}
            return JSONResponse(told, 400)
        return JSONResponse({"id": DISCORD_THREAD})

    async def mattermost(self, request: Request) -> Response:
        wrong = await self._wrong(request, "mattermost")
        if isinstance(wrong, Response):
            return wrong
        told = {"id": "web.incoming_webhook.parse", "message": f"{wrong}", "status_code": 400}
        return JSONResponse(told, 400) if wrong else _ok()

    async def matrix(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {MATRIX_TOKEN}":
            return JSONResponse({"errcode": "M_UNKNOWN_TOKEN", "error": "No such token"}, 401)
        if len(await request.body()) > MATRIX_EVENT_BYTES - MATRIX_ENVELOPE_BYTES:
            return JSONResponse({"errcode": "M_TOO_LARGE", "error": "event too large"}, 413)
        wrong = await self._wrong(request, "matrix")
        if isinstance(wrong, Response):
            return wrong
        if wrong:
            return JSONResponse({"errcode": "M_BAD_JSON", "error": f"{wrong}"}, 400)
        self.transactions.append(request.path_params["transaction"])
        return JSONResponse({"event_id": "$YUwRidLecu:example.com"})

    async def _wrong(self, request: Request, service: str) -> list[str] | Response:
        """What is wrong with a message, which is taken if nothing is; or what it is refused by."""
        if (refused := self._refusals.pop(service, None)) is not None:
            return refused
        if request.headers["Content-Type"] != "application/json":
            return ["it is not JSON"]
        message = json.loads(await request.body())
        validator = jsonschema_rs.validator_for(SCHEMAS[service])
        wrong = [each.message for each in validator.iter_errors(message)]
        if service == "discord" and _characters(message) > DISCORD_EMBEDS_CHARACTERS:
            wrong.append(f"more than {DISCORD_EMBEDS_CHARACTERS} characters")
        if not wrong:
            self.taken[service].append(message)
        return wrong


def _ok() -> Response:
    return PlainTextResponse("ok")


def _characters(message: dict[str, Any]) -> int:
    """What Discord counts of embeds: without white space at either end."""
    counted = ("title", "description")
    embeds = message.get("embeds", [])
    return sum(len(each.get(part, "").strip()) for each in embeds for part in counted)


def target_of(service: str, origin: str, **given: Any) -> dict[str, Any]:
    """A target of EVENTS_TARGETS for one of the servers."""
    secret = {"secret": MATRIX_TOKEN} if service == "matrix" else {}
    return {
        "name": service, "format": service, "url": origin + PATHS[service], **secret, **given,
    }  # fmt: skip
