"""What members of the service's JSON are: their formats, what they mean, an example of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema

from app.models import instants

_INSTANT = {"type": "string", "format": "date-time", "examples": ["2026-11-03T10:15:00.000Z"]}


class Told:
    """Says more of a member in the schema. Nothing is held to it."""

    def __init__(self, **keywords: Any) -> None:
        self._keywords = keywords

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | self._keywords


class AsText:
    """Says that a member is JSON in a text: the data of a server-sent event."""

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": handler(schema),
        }


def only(*texts: str) -> WithJsonSchema:
    """Of texts that belong to no list of rows."""
    return WithJsonSchema({"type": "string", "enum": [*texts]})


InstantText = Annotated[
    datetime,
    PlainSerializer(instants.written, return_type=str, when_used="json"),
    WithJsonSchema(_INSTANT, mode="serialization"),
]
"""A datetime that JSON gives as RFC 3339 text in UTC."""

RoundedSeconds = Annotated[
    float,
    PlainSerializer(lambda value: round(value, 3), return_type=float),
    Field(examples=[30.0]),
]
"""A duration that JSON gives to the millisecond."""

Id = Annotated[str, Field(examples=["5f0c2d9e8b7a4c31d2e6f901"])]
"""Opaque."""
RoomName = Annotated[str, Field(description="LiveKit's name of the room.", examples=["studio"])]
MomentId = Annotated[
    str | None,
    Field(
        description="Of all that were captured together, one of each share of a room; null: of it "
        "alone.",
        examples=[None],
    ),
]
Identity = Annotated[str, Field(examples=["alice"])]
"""A user, as LiveKit knows them."""
CommunityName = Annotated[str, Field(examples=["default"])]
ByteCount = Annotated[int, Told(minimum=0), Field(examples=[34_700_000])]
Count = Annotated[int, Told(minimum=0), Field(examples=[2])]
Text = Annotated[str, Field(examples=[""])]
"""In words, for people; may be empty."""
Title = Annotated[str, Field(examples=["That goal"])]
Pixels = Annotated[int, Told(minimum=0), Field(examples=[1280])]
MediaUrl = Annotated[
    str,
    Told(format="uri-reference"),
    Field(examples=["/v1/clips/5f0c2d9e8b7a4c31d2e6f901/poster.jpg?exp=1793704800&sig=3f1a"]),
]
"""Signed, so that it needs no token for a while."""
NextPage = Annotated[
    str | None,
    Field(
        description="Where the following page begins: give it as `next`; null at the end.",
        examples=["WzE3OTM3MDQ1MDAwMDAsIjVmMGMyZCJd"],
    ),
]
Cursor = Annotated[
    Annotated[str, Field(max_length=600)] | None,
    Field(description="Where the page before ended: its `next`.", examples=["WzE3OTM3MDQ1MDBd"]),
]
PageSize = Annotated[
    int, Field(ge=1, le=200, description="How many there are on a page, at most.", examples=[50])
]
