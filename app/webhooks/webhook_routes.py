"""The receiver of LiveKit's webhooks, as a part of the HTTP interface."""

from __future__ import annotations

from http import HTTPStatus

from app.api.openapi import Answer, Operation, described
from app.errors import TooLarge
from app.webhooks import receiver

described(
    Operation(
        summary="LiveKit's events",
        description="For livekit-server: name this URL in `webhook.urls` of livekit.yaml.",
        answers={HTTPStatus.OK: Answer("Stored, known already, or of no interest.")},
        problems=[TooLarge],
        access="webhook",
    )
)(receiver.receive)

routes = receiver.routes
BODY_LIMITS = {"/webhooks/livekit": receiver.MAX_BODY_BYTES}
