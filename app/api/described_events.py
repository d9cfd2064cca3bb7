"""Our own events as OpenAPI describes them: what targets are sent, one webhook for each."""

from __future__ import annotations

from inspect import cleandoc

from app.api.component_schemas import ComponentSchemas, Json
from app.events.contents import CONTENTS, EventContent

TAG = "Events"
_SENT = (
    "As a target's `format` says: plain, a CloudEvent signed in `Replay-Signature`; or in the "
    "shape of LiveKit's webhooks, signed as LiveKit signs them. Answered with anything but 2xx, "
    "it is sent again for a day."
)
_ID = "5f0c2d9e8b7a4c31d2e6f901"
_NUMBER: Json = {
    "type": "integer",
    "description": "Its place among the room's events, from 1.",
    "examples": [7],
}
_IDENTITY: Json = {
    "type": "string",
    "description": "Whom it is about, or whose share or clip.",
    "examples": ["alice"],
}
_ROOM: Json = {
    "type": "string",
    "description": "LiveKit's name of the room that it belongs to; empty: none.",
    "examples": ["studio"],
}
_ROOM_SID: Json = {
    "type": "string",
    "description": "LiveKit's id of that room; empty: none.",
    "examples": ["RM_x1"],
}


def webhooks(schemas: ComponentSchemas) -> Json:
    """By the name of an event: the request that tells it. Adds the schemas of its bodies."""
    return {str(name): {"post": _request(content, schemas)} for name, content in CONTENTS.items()}


def _request(content: type[EventContent], schemas: ComponentSchemas) -> Json:
    says = cleandoc(content.__doc__ or "")
    name = content.__name__.removesuffix("Content")
    bodies = {
        "application/cloudevents+json": (f"{name}CloudEvent", _plain(content, schemas)),
        "application/webhook+json": (f"{name}Webhook", _like_livekit(content, schemas)),
    }
    contents: Json = {}
    for media_type, (component, schema) in bodies.items():
        reference = schemas.add(component, schema)
        contents[media_type] = {"schema": reference, "example": schemas.example(reference)}
    return {
        "operationId": f"tell_{content.event}",
        "summary": says.partition(";")[0].partition(". ")[0],
        "description": f"{says} {_SENT}",
        "tags": [TAG],
        "security": [{"eventSignature": []}, {"eventToken": []}],
        "requestBody": {"required": True, "description": says, "content": contents},
        "responses": {"2XX": {"description": "It is taken, and not sent again."}},
    }


def _plain(content: type[EventContent], schemas: ComponentSchemas) -> Json:
    """The schema of an event as a CloudEvent."""
    about = _object(
        "Where it stands.", number=_NUMBER, room=_ROOM, room_sid=_ROOM_SID, identity=_IDENTITY
    )
    told = schemas.reference(content, "serialization")
    return _object(
        content.__doc__ or "",
        specversion={"type": "string", "enum": ["1.0"], "description": "Of CloudEvents."},
        id=_id(content),
        source={
            "type": "string",
            "format": "uri-reference",
            "description": "The URL of this service.",
            "examples": ["https://replay.example.com"],
        },
        type={"type": "string", "enum": [content.event], "description": "Its name."},
        time={
            "type": "string",
            "format": "date-time",
            "description": "When it was told.",
            "examples": ["2026-11-03T10:15:00.000Z"],
        },
        datacontenttype={
            "type": "string",
            "enum": ["application/json"],
            "description": "What `data` is.",
        },
        data={"allOf": [about, told], "description": "What the event says."},
    )


def _like_livekit(content: type[EventContent], schemas: ComponentSchemas) -> Json:
    """The schema of an event in the shape of LiveKit's webhooks."""
    now = schemas.shown(content)["properties"]
    before = {content.model_fields[name].alias or name: each for name, each in now.items()}
    return _object(
        content.__doc__ or "",
        event={"type": "string", "enum": [content.event], "description": "Its name."},
        id=_id(content),
        createdAt={
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "When it was told: seconds since 1970.",
            "examples": ["1793704500"],
        },
        room=_object("The room that it belongs to.", sid=_ROOM_SID, name=_ROOM),
        participant=_object(
            "Whom it is about.",
            identity=_IDENTITY,
            metadata={
                "type": "string",
                "contentMediaType": "application/json",
                "description": "What `replay` holds, as JSON text: receivers of LiveKit's webhooks "
                "drop members that LiveKit does not know.",
                "examples": ['{"number": 7}'],
            },
        ),
        replay=_object("What the event says, by names of before /v1.", number=_NUMBER, **before),
    )


def _id(content: type[EventContent]) -> Json:
    return {
        "type": "string",
        "description": "The same each time that it is sent.",
        "examples": [f"{content.event}:{_ID}"],
    }


def _object(says: str, **members: Json) -> Json:
    return {
        "type": "object",
        "description": cleandoc(says),
        "required": [*members],
        "properties": members,
    }
