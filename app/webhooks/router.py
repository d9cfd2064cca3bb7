"""Which handler takes which event: tables that decorators fill, joined into one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from livekit.protocol.webhook import WebhookEvent

from app.context import Context
from app.work.jobs import Asked

OTHER = "other"
"""What events are called that no handler is known for."""
Handler = Callable[[WebhookEvent, Context], Awaitable[Asked | None]]
Condition = Callable[[WebhookEvent], bool]


def _always(_event: WebhookEvent) -> bool:
    return True


class Router:
    """Event name → handlers. An event that nobody takes is fine: LiveKit adds new ones."""

    def __init__(self, *parts: Router) -> None:
        self._handlers: dict[str, list[tuple[Condition, Handler]]] = {}
        for part in parts:
            for event, handlers in part._handlers.items():
                self._handlers.setdefault(event, []).extend(handlers)

    def on(self, *events: str, when: Condition = _always) -> Callable[[Handler], Handler]:
        """Registers a handler for events of these names of which `when` is true."""

        def register(handler: Handler) -> Handler:
            for event in events:
                self._handlers.setdefault(event, []).append((when, handler))
            return handler

        return register

    @property
    def events(self) -> list[str]:
        """The names of events that there are handlers for, and OTHER."""
        return [*self._handlers, OTHER]

    def knows(self, name: str) -> bool:
        """Whether there is a handler for some events of this name."""
        return name in self._handlers

    def takes(self, event: WebhookEvent) -> bool:
        """Whether there is a handler for this event."""
        return any(when(event) for when, _ in self._handlers.get(event.event, ()))

    async def dispatch(self, event: WebhookEvent, ctx: Context) -> list[Asked]:
        """Runs the event's handlers one after another; what they ask for.

        What they raise comes through.
        """
        made = [
            await handler(event, ctx)
            for when, handler in self._handlers.get(event.event, ())
            if when(event)
        ]
        return [asked for asked in made if asked is not None]
