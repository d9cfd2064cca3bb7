"""Which handler takes which event: a table that decorators fill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit.protocol.webhook import WebhookEvent

from app.context import Context

Handler = Callable[[WebhookEvent, Context], Awaitable[None]]


class Router:
    """Event name → handlers. An event that nobody takes is fine: LiveKit adds new ones."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    def on(self, *events: str) -> Callable[[Handler], Handler]:
        """Registers a handler for these event names."""

        def register(handler: Handler) -> Handler:
            for event in events:
                self._handlers.setdefault(event, []).append(handler)
            return handler

        return register

    def takes(self, event: str) -> bool:
        return event in self._handlers

    async def dispatch(self, event: WebhookEvent, ctx: Context) -> None:
        """Runs the event's handlers one after another. What they raise comes through."""
        for handler in self._handlers.get(event.event, ()):
            await handler(event, ctx)


router = Router()
