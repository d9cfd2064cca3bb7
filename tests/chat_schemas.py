"""What chats take, as JSON schemas: the members that are published, all of them, and their limits.

| service | where it is published |
| --- | --- |
| Slack | reference of the message payload, of Block Kit's section and text objects, and of attachments; the types of Slack's own webhook client, `@slack/webhook` 7 and `@slack/types` 2 |
| Discord | `specs/openapi.json` of discord/discord-api-spec, operation `execute_webhook`: schemas IncomingWebhookRequestPartial, RichEmbed and MessageAllowedMentionsRequest; "Embed Limits" of its documentation |
| Matrix | Client-Server API 1.18, `PUT /rooms/{roomId}/send/{eventType}/{txnId}`, the content of `m.room.message` with `m.notice`, `m.mentions`, "Size limits" |
| Mattermost | "Incoming webhooks" and "Message attachments" of its developers' documentation |
"""  # noqa: E501 # a table has long lines

from __future__ import annotations

from typing import Any

DISCORD_EMBEDS_CHARACTERS = 6000
"""The titles, descriptions, names and values of all embeds of a message together."""
MATRIX_EVENT_BYTES = 65_536
"""Of the whole event: its content, and what the servers add. Beyond: 413 M_TOO_LARGE."""
MATRIX_ENVELOPE_BYTES = 2048
"""Kept for what servers add: ids of up to 255 bytes each, hashes, signatures."""

_TRUTH = {"type": "boolean"}
_ANY_TEXT = {"type": "string"}


def _text(most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _url(most: int) -> dict[str, Any]:
    return {**_text(most), "pattern": "^https?://[^ ]+$"}


def _list(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


def _closed(needed: list[str], **members: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": members, "required": needed, "additionalProperties": False,
    }  # fmt: skip


_SLACK_TEXT = {
    "oneOf": [
        _closed(["type", "text"], type={"const": "plain_text"}, text=_text(3000, 1), emoji=_TRUTH),
        _closed(["type", "text"], type={"const": "mrkdwn"}, text=_text(3000, 1), verbatim=_TRUTH),
    ]
}
_SLACK_FIELD = {**_SLACK_TEXT, "properties": {"text": _text(2000)}}
_SLACK_SECTION = {
    **_closed(
        ["type"],
        type={"const": "section"},
        text=_SLACK_TEXT,
        block_id=_text(255),
        fields=_list(_SLACK_FIELD, 10),
    ),
    "anyOf": [{"required": ["text"]}, {"required": ["fields"]}],
}
_ATTACHMENT_MEMBERS: dict[str, Any] = {
    "fallback": _ANY_TEXT, "color": _ANY_TEXT, "pretext": _ANY_TEXT, "text": _ANY_TEXT,
    "author_name": _ANY_TEXT, "author_link": _url(2048), "author_icon": _url(2048),
    "title": _ANY_TEXT, "title_link": _url(2048), "image_url": _url(2048),
    "thumb_url": _url(2048), "footer": _text(300), "footer_icon": _url(2048),
}  # fmt: skip
_SLACK_ATTACHMENT = {
    **_closed([], **_ATTACHMENT_MEMBERS, ts=_ANY_TEXT, mrkdwn_in=_list(_ANY_TEXT, 3)),
    "anyOf": [{"required": ["fallback"]}, {"required": ["text"]}],
    "not": {"required": ["image_url", "thumb_url"]},
}
_DISCORD_IMAGE = _closed([], url=_url(2048))  # width and height can't be set by a webhook
_DISCORD_EMBED = _closed(
    [],
    title=_text(256),
    description=_text(4096),
    url=_url(2048),
    color={"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
    timestamp={"type": "string", "format": "date-time"},
    author=_closed([], name=_text(256), url=_url(2048), icon_url=_url(2048)),
    image=_DISCORD_IMAGE,
    thumbnail=_DISCORD_IMAGE,
    footer=_closed([], text=_text(2048), icon_url=_url(2048)),
    fields=_list(_closed(["name", "value"], name=_text(256), value=_text(1024), inline=_TRUTH), 25),
)
_SNOWFLAKE = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
_DISCORD_MENTIONS = _closed(
    [],
    parse=_list({"enum": ["users", "roles", "everyone"]}, 3),
    users=_list(_SNOWFLAKE, 100),
    roles=_list(_SNOWFLAKE, 100),
    replied_user=_TRUTH,
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "slack": {
        **_closed(
            [],
            text=_text(40_000, 1),  # what is longer is cut off; up to 4,000 are advised
            blocks=_list(_SLACK_SECTION, 50),
            attachments=_list(_SLACK_ATTACHMENT, 100),
            thread_ts=_ANY_TEXT,
            mrkdwn=_TRUTH,
            link_names=_TRUTH,
            unfurl_links=_TRUTH,
            unfurl_media=_TRUTH,
            metadata=_closed(
                ["event_type", "event_payload"],
                event_type=_ANY_TEXT,
                event_payload={"type": "object"},
            ),
        ),
        "anyOf": [{"required": [each]} for each in ("text", "blocks", "attachments")],
    },
    "discord": {
        **_closed(
            [],
            content=_text(2000),
            embeds=_list(_DISCORD_EMBED, 10),
            allowed_mentions=_DISCORD_MENTIONS,
            username=_text(80, 1),
            avatar_url=_url(2048),
            tts=_TRUTH,
            flags={"type": "integer"},
            thread_name=_text(100),
            applied_tags=_list(_SNOWFLAKE, 5),
        ),
        "anyOf": [{"required": [each]} for each in ("content", "embeds")],
    },
    "matrix": {
        **_closed(
            ["msgtype", "body"],
            msgtype={"enum": ["m.notice"]},
            body=_ANY_TEXT,
            format={"const": "org.matrix.custom.html"},
            formatted_body=_ANY_TEXT,
            **{"m.mentions": _closed([], user_ids=_list(_ANY_TEXT, 1000), room=_TRUTH)},
        ),
        "dependentRequired": {"format": ["formatted_body"], "formatted_body": ["format"]},
    },
    "mattermost": {
        **_closed(
            [],
            text=_text(16_383, 1),  # of one post: what is longer becomes several
            channel=_ANY_TEXT,
            username=_ANY_TEXT,
            icon_url=_url(1024),
            icon_emoji=_ANY_TEXT,
            attachments=_list(_closed(["fallback"], **_ATTACHMENT_MEMBERS), 100),
            type={"type": "string", "pattern": "^custom_"},
            props={"type": "object"},
            priority={"type": "object"},
        ),
        "anyOf": [{"required": [each]} for each in ("text", "attachments")],
    },
}
