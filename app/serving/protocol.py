"""HTTP/1.1 on one connection, within bounds: how much may come, and how long it may take.

uvicorn's protocol over httptools (llhttp) has none: it takes a header of any size, adding piece to
piece, reads as many requests ahead as come, and waits for ever for what is missing, and for a peer
that doesn't read its answer. h11, its other one, bounds sizes and not times, and parses in Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app import metrics
from app.errors import ReplayError
from app.models.metric_words import ConnectionRefusal
from app.serving import refusals
from app.serving.bounds import Bounds
from app.serving.connections import Connections
from app.serving.deadline import Deadline
from app.serving.ignored_upgrade import BodyParser, hidden_body
from app.serving.parting import Parting
from app.serving.reading_flow import ReadingFlow
from app.serving.received import Received, length_of
from app.serving.request_head import RequestHead
from app.serving.stalls import StallWatch
from app.serving.unsent_bytes import keep_unsent_small


class BoundedProtocol(HttpToolsProtocol):
    """Refuses what is too large (431), takes too long (408) or is no HTTP (400), and then closes.

    One request is at work at a time: the next one is read when the answer has left. Cuts off an
    answer that its peer has stopped reading. Made by `server.bounded`, which gives it its bounds,
    the server's connections, its report about them and the headers of all answers.
    """

    bounds: ClassVar[Bounds]
    places: ClassVar[Connections]
    report: ClassVar[refusals.RefusalReport]
    site: ClassVar[Mapping[str, str]]
    flow: ReadingFlow

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._peer = ""
        self._deadline = Deadline(self.loop)
        self._watch: StallWatch | None = None
        self._received = Received()
        self._reading_body = False
        self._body: BodyParser | None = None
        """Of a request that its own parser took for ended."""
        self._refused = False
        self._head = RequestHead(self.bounds)
        self._body_bytes = 0
        self._message_bytes = 0
        """Of the request that is being read, whatever it is."""
        self._rest_bytes = 0
        """Of its body, after its answer."""

    # -- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = ReadingFlow(transport, self.loop)
        self._parting = Parting(transport, self._deadline)
        self._peer = self.client[0] if self.client else ""
        if not self.places.admit(self, self._peer):
            metrics.CONNECTIONS_REFUSED.labels(ConnectionRefusal.CONNECTIONS).inc()
            self._refused = True
            transport.abort()
            return
        keep_unsent_small(transport)
        self._within(self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.stop()
        if self._watch is not None:
            self._watch.stop()
        self.places.remove(self)
        super().connection_lost(exc)

    def give_way(self) -> bool:
        """Closes the connection, unless an answer is on its way to a peer that takes it.

        Nothing is done yet for a request whose body has not come.
        """
        waits = self._reading_body and not self.cycle.response_started
        if self._is_at_work() and not (waits or self.flow.write_paused):
            return False
        if self.flow.write_paused:
            self.report.stalled("others wait for its place", self._peer)
        self._deadline.stop()
        self._cut()
        return True

    # -- what comes

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._parting.discard(len(data))
            return
        self._received.add(data)
        self._read()

    def _read(self) -> None:
        """Reads on, up to the end of a request: the next one comes when the answer has left."""
        left = self.bounds.pieces_at_once
        while self._received and not self._refused and not self.transport.is_closing():
            if self._is_at_work() and not self._reading_body:
                self._hold()
                return
            if not left:
                self.flow.hold_for_a_round(self._read)
                return
            left -= 1
            self._feed(self._received.take())
        if not self.transport.is_closing():
            self.flow.release()

    def _hold(self) -> None:
        """Keeps what was sent ahead. Of more than may be nothing is read: the connection closes."""
        self.flow.hold()
        if len(self._received) <= self.bounds.ahead_bytes:
            return
        metrics.CONNECTIONS_REFUSED.labels(ConnectionRefusal.AHEAD).inc()
        self._received.clear()
        self._refused = True
        if self._is_answering():
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _feed(self, piece: bytes) -> None:
        if self._is_answered():
            self._rest_bytes += len(piece)
            if self._rest_bytes > self.bounds.ahead_bytes:
                metrics.CONNECTIONS_REFUSED.labels(ConnectionRefusal.AHEAD).inc()
                self._part()
                return
        self._message_bytes += len(piece)
        self._unset_keepalive_if_required()
        self._parse(piece)
        if self._refused or self.transport.is_closing():
            return
        allowed = self.bounds.head_bytes + self.bounds.framing_per_body_byte * self._body_bytes
        if self._message_bytes - self._body_bytes > allowed:
            self._refuse(ConnectionRefusal.HEAD, refusals.too_large(self.bounds.head_bytes))
        elif not self._deadline.is_set and not self._is_answering():
            self._within(self.bounds.head_seconds)

    def _parse(self, piece: bytes) -> None:
        try:
            (self._body or self.parser).feed_data(piece)
        except httptools.HttpParserUpgrade as asked:
            if rest := piece[asked.args[0] :]:
                self._parse(rest)
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, refusals.HeadTooLarge):  # raised in a callback
                self._refuse(ConnectionRefusal.HEAD, error.__context__)
            else:
                self._refuse(ConnectionRefusal.SYNTAX, refusals.malformed(error))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head, self._body_bytes, self._rest_bytes = RequestHead(self.bounds), 0, 0
        self._wait()

    def on_url(self, url: bytes) -> None:
        self._head.add_url(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head.add_header(name, value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._reading_body = True
        self._received.body_left = length_of(self.headers)
        self._within(self.bounds.body_seconds)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._body is None and (framing := hidden_body(self.parser, self.headers)):
            self._body = BodyParser(framing, self.on_body, self.on_message_complete)
            return
        self._body = None
        self._reading_body, self._received.body_left = False, None
        self._message_bytes = self._body_bytes = 0
        self._deadline.stop()
        self.places.busy(self)
        super().on_message_complete()
        self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._go_on()

    # -- what goes

    def pause_writing(self) -> None:
        super().pause_writing()
        self.places.stuck(self)
        if self._watch is None:
            self._watch = StallWatch(self.transport, self.bounds.write_seconds, self._stalled)
        self._watch.start()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.places.busy(self)
        if self._watch is not None:
            self._watch.stop()
        self._go_on()

    def _go_on(self) -> None:
        """An answer, or the rest of one, has left."""
        self._wait()
        self._read()

    def _stalled(self) -> None:
        self.report.stalled(f"nothing was taken for {self.bounds.write_seconds:g} s", self._peer)
        self._cut()

    def _cut(self) -> None:
        """Ends the connection now.

        Whatever still answers on it is told at once: until the loop gets to `connection_lost` it
        would write to a transport that takes nothing any more.
        """
        self._refused = True
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    # -- the bounds

    def _wait(self) -> None:
        """Waits from now on for a request, or the rest of its head, if nothing is under way.

        A head that is not whole is no request yet: any number of them costs a caller nothing.
        """
        if not self._is_at_work():
            self.places.idle(self)

    def _is_at_work(self) -> bool:
        """A request is under way: its answer is not yet sent.

        Once it is, the rest of a body is of no use to anybody.
        """
        return self._is_answering() or self.flow.write_paused

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_answered(self) -> bool:
        """The request whose body is read has its answer."""
        return self._reading_body and not self._is_answering()

    def _within(self, seconds: float) -> None:
        self._deadline.set(seconds, partial(self._too_late, seconds))

    def _too_late(self, seconds: float) -> None:
        what = ConnectionRefusal.BODY if self._reading_body else ConnectionRefusal.HEAD
        self._refuse(what, refusals.late(what, seconds))

    def _refuse(self, what: ConnectionRefusal, error: ReplayError) -> None:
        """Answers, if nothing was answered yet, and closes; what still comes is not read."""
        self._deadline.stop()
        self.report.refused(what, error, self._peer)
        if self.transport.is_closing() or self._is_answering():
            self._cut()
            return
        if not self._is_answered():
            self.transport.write(refusals.answer(error, self.site))
        self._part()

    def _part(self) -> None:
        """Ends the connection after the answer that it has; what still comes is not read."""
        self._refused = True
        self._parting.begin()
