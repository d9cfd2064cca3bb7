"""Small servers that take messages as Slack, Discord, Matrix and Mattermost say that they do.

What each takes is from its published reference: the members, their lengths, and the answers.
"""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SLACK_PATH = "/services/T00000000/B00000000/slack-secret-of-24-chars"
DISCORD_PATH = "/api/webhooks/123456789012345678/discord-secret-of-the-webhook"
MATTERMOST_PATH = "/hooks/mattermost-secret-26-chars"
MATRIX_PATH = "/_matrix/client/v3/rooms/!abc:example.com/send/m.room.message"
MATRIX_TOKEN = "syt_matrix-secret"
_URL = {"type": "string", "pattern": "^https?://", "maxLength": 2048}


def _text(most: int, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _closed(needed: list[str], **members: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": members, "required": needed, "additionalProperties": False,
    }  # fmt: skip


_SLACK_SECTION = _closed(
    ["type", "text"],
    type={"const": "section"},
    text={
        "oneOf": [
            _closed(["type", "text"], type={"const": "plain_text"}, text=_text(3000),
                    emoji={"type": "boolean"}),
            _closed(["type", "text"], type={"const": "mrkdwn"}, text=_text(3000)),
        ]
    },
)  # fmt: skip
_ATTACHMENT = _closed(["fallback"], fallback=_text(1000), image_url=_URL)
SCHEMAS: dict[str, dict[str, Any]] = {
    "slack": _closed(
        ["text"],
        text=_text(40_000),
        mrkdwn={"type": "boolean"},
        link_names={"type": "boolean"},
        unfurl_links={"type": "boolean"},
        unfurl_media={"type": "boolean"},
        blocks={"type": "array", "maxItems": 50, "items": _SLACK_SECTION},
        attachments={"type": "array", "maxItems": 100, "items": _ATTACHMENT},
    ),
    "discord": _closed(
        ["content", "embeds", "allowed_mentions"],
        content=_text(2000),
        embeds={
            "type": "array",
            "maxItems": 10,
            "items": _closed(
                ["title", "description"],
                title=_text(256),
                description=_text(4096, 0),
                url=_URL,
                image=_closed(["url"], url=_URL),
            ),
        },
        allowed_mentions=_closed(["parse"], parse={"type": "array", "maxItems": 0}),
    ),
    "matrix": _closed(
        ["msgtype", "body", "m.mentions"],
        msgtype={"enum": ["m.text", "m.notice"]},
        body=_text(20_000),
        format={"const": "org.matrix.custom.html"},
        formatted_body=_text(20_000),
        **{"m.mentions": _closed([])},
    ),
    "mattermost": _closed(
        ["text"], text=_text(16_383), attachments={"type": "array", "items": _ATTACHMENT}
    ),
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
        return await self._take(request, "slack") or PlainTextResponse("ok")

    async def discord(self, request: Request) -> Response:
        return await self._take(request, "discord") or Response(status_code=204)

    async def mattermost(self, request: Request) -> Response:
        return await self._take(request, "mattermost") or PlainTextResponse("ok")

    async def matrix(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {MATRIX_TOKEN}":
            return JSONResponse({"errcode": "M_UNKNOWN_TOKEN"}, 401)
        if (refused := await self._take(request, "matrix")) is not None:
            return refused
        self.transactions.append(request.path_params["transaction"])
        return JSONResponse({"event_id": "$1"})

    async def _take(self, request: Request, service: str) -> Response | None:
        if (refused := self._refusals.pop(service, None)) is not None:
            return refused
        body = await request.body()
        if request.headers["Content-Type"] != "application/json" or len(body) > 65_000:
            return PlainTextResponse("invalid_payload", 400)
        message = json.loads(body)
        wrong = [
            each.message
            for each in jsonschema_rs.validator_for(SCHEMAS[service]).iter_errors(message)
        ]
        if service == "discord":
            embed = message["embeds"][0]
            if sum(len(embed[part]) for part in ("title", "description")) > 6000:
                wrong.append("more than 6000 characters")
        if wrong:
            return PlainTextResponse(f"invalid_payload {wrong}", 400)
        self.taken[service].append(message)
        return None


def target_of(service: str, origin: str, **given: Any) -> dict[str, Any]:
    """A target of EVENTS_TARGETS for one of the servers."""
    path = {
        "slack": SLACK_PATH, "discord": DISCORD_PATH, "mattermost": MATTERMOST_PATH,
        "matrix": MATRIX_PATH,
    }[service]  # fmt: skip
    secret = {"secret": MATRIX_TOKEN} if service == "matrix" else {}
    return {"name": service, "format": service, "url": origin + path, **secret, **given}
