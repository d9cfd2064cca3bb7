"""Our own events as OpenAPI describes them: what EVENTS_URL is sent, one webhook for each."""

from __future__ import annotations

from app.api.component_schemas import ComponentSchemas, Json
from app.events.contents import CONTENTS, EventContent

TAG = "Events"
_IDENTITY = {"type": "string", "description": "Whom it is about.", "examples": ["alice"]}
_LIKE_LIVEKIT = (
    "Signed as LiveKit signs its webhooks, with EVENTS_KEY and EVENTS_SECRET, so that LiveKit's "
    "own receivers verify it. Answered with anything but 2xx, it is sent again for a day."
)


def webhooks(schemas: ComponentSchemas) -> Json:
    """By the name of an event: the request that tells it."""
    return {str(name): {"post": _request(content, schemas)} for name, content in CONTENTS.items()}


def _request(content: type[EventContent], schemas: ComponentSchemas) -> Json:
    says = (content.__doc__ or "").strip()
    schema: Json = {"$ref": f"#/components/schemas/{_name(content)}"}
    body = {"application/webhook+json": {"schema": schema, "example": schemas.example(schema)}}
    return {
        "operationId": f"tell_{content.event}",
        "summary": says.partition(";")[0].partition(". ")[0],
        "description": f"{says} {_LIKE_LIVEKIT}",
        "tags": [TAG],
        "security": [{"event": []}],
        "requestBody": {"required": True, "description": says, "content": body},
        "responses": {"2XX": {"description": "It is taken, and not sent again."}},
    }


def schemas_of_events() -> dict[str, Json]:
    """The schemas of the bodies, by name; they refer to those of what the events say."""
    return {_name(content): _like_livekit(content) for content in CONTENTS.values()}


def _name(content: type[EventContent]) -> str:
    return content.__name__.removesuffix("Content") + "Webhook"


def _like_livekit(content: type[EventContent]) -> Json:
    """The schema of an event in the shape of LiveKit's webhooks."""
    number: Json = {
        "type": "object",
        "required": ["number"],
        "properties": {
            "number": {
                "type": "integer",
                "description": "Its place among the room's events, from 1.",
                "examples": [7],
            }
        },
    }
    told = {"$ref": f"#/components/schemas/{content.__name__}"}
    return _object(
        content.__doc__ or "",
        event={"type": "string", "enum": [content.event], "description": "Its name."},
        id={
            "type": "string",
            "description": "The same each time that it is sent.",
            "examples": [f"{content.event}:5f0c2d9e8b7a4c31d2e6f901"],
        },
        createdAt={
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When it was told: seconds since 1970.",
            "examples": ["1793704500"],
        },
        room=_object(
            "The room that it belongs to; both are empty for none.",
            sid={"type": "string", "description": "LiveKit's id of it.", "examples": ["RM_x1"]},
            name={"type": "string", "description": "Its name.", "examples": ["studio"]},
        ),
        participant=_object(
            "Whom it is about, or whose share or clip.",
            identity=_IDENTITY,
            metadata={
                "type": "string",
                "contentMediaType": "application/json",
                "description": "What `replay` holds, as JSON text: receivers of LiveKit's webhooks "
                "drop members that LiveKit does not know.",
                "examples": ['{"number": 7}'],
            },
        ),
        replay={"allOf": [told, number], "description": "What the event says."},
    )


def _object(says: str, **members: Json) -> Json:
    return {
        "type": "object",
        "description": says.strip(),
        "required": [*members],
        "properties": members,
    }
