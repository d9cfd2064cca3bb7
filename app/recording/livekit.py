"""LiveKit's API: the only place that calls it.

Every call has a time limit of our own, since those of livekit-api 1.2.2 do not act under aiohttp
3.14, and every failure becomes one of the few errors below, named for what the recorder does next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import aiohttp
from google.protobuf.message import DecodeError
from livekit.api import ServerError
from livekit.protocol.egress import (
    EgressInfo,
    EncodingOptions,
    EncodingOptionsPreset,
    ListEgressRequest,
    S3Upload,
    StopEgressRequest,
    TrackCompositeEgressRequest,
    UpdateStreamRequest,
)
from livekit.protocol.models import DataPacket, ParticipantInfo, Room
from livekit.protocol.room import (
    ListParticipantsRequest,
    ListRoomsRequest,
    RoomParticipantIdentity,
    SendDataRequest,
    UpdateParticipantRequest,
)

from app.errors import Unavailable
from app.recording import attributes, egress_request
from app.recording.bounded_answer import BoundedAnswer
from app.recording.kept_fields import TooLong
from app.recording.livekit_services import Egresses, Rooms
from app.settings import Settings

T = TypeVar("T")

DATA_TOPIC = "replay"
# livekit-server itself answers a start after at most 33 s, everything else within 3 s.
_START_SECONDS = 40.0
_CALL_SECONDS = 10.0


class AnswerTooLong(Unavailable):
    """LiveKit's answer is longer than is read. Whoever may make rooms can bring that about."""


class StartRefused(Exception):
    """The egress was not started, and won't be: LiveKit said so. `code` is Twirp's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NoWorker(StartRefused):
    """No egress worker took the job: none runs, or none has capacity left."""


class StartUnclear(Exception):
    """No answer, or one that leaves open whether the egress runs: look before starting again."""


class AlreadyOver(Exception):
    """The egress that is asked has ended, or is not known any more."""


class WorkerGone(Exception):
    """The egress that is asked is listed, but nobody serves it: its worker is gone or hangs."""


@dataclass(frozen=True)
class StartRequest:
    """What to record: exactly these tracks.

    `prefix`: absolute, as egress sees it; or that of keys in a bucket. `s3`: which bucket, and how
    egress gets in; None: its own storage, or a folder.
    """

    room: str
    video_sid: str
    audio_sid: str | None
    prefix: str
    segment_seconds: int
    encoding: str | EncodingOptions
    s3: S3Upload | None = None


class LiveKit:
    """A client of one livekit-server. Build it inside the event loop, `close()` it there."""

    def __init__(self, settings: Settings) -> None:
        self._session = aiohttp.ClientSession(response_class=BoundedAnswer)
        access = settings.livekit_api_key, settings.livekit_api_secret.get_secret_value()
        server = self._session, settings.livekit_http_url, *access
        self._rooms = Rooms(*server, failover=False)
        self._egresses = Egresses(*server, failover=False)

    async def close(self) -> None:
        await self._session.close()

    async def start(self, request: StartRequest) -> EgressInfo:
        """Starts a Track Composite egress. Not idempotent, and not to be repeated after doubt.

        Raises NoWorker, StartRefused or StartUnclear.
        """
        composite = TrackCompositeEgressRequest(
            room_name=request.room,
            video_track_id=request.video_sid,
            audio_track_id=request.audio_sid or "",
            segment_outputs=[
                egress_request.segments(request.prefix, request.segment_seconds, request.s3)
            ],
        )
        if isinstance(request.encoding, str):
            # the stubs take only members, the wrapper gives only numbers
            composite.preset = EncodingOptionsPreset.Value(request.encoding)  # type: ignore[assignment]
        else:
            composite.advanced.CopyFrom(request.encoding)
        try:
            async with asyncio.timeout(_START_SECONDS):
                return await self._egresses.start_track_composite_egress(composite)
        except ServerError as error:
            # 503: the server has given up asking workers. 429: they answered that they are full.
            # 409: a worker runs it, but answered too late.
            if error.code in ("unavailable", "resource_exhausted"):
                raise NoWorker(error.code, error.message) from error
            if error.status < 500 and error.code not in ("already_exists", "deadline_exceeded"):
                raise StartRefused(error.code, error.message) from error
            raise StartUnclear(str(error)) from error
        except aiohttp.ClientConnectorError as error:
            # nothing was sent
            raise StartRefused("unreachable", str(error)) from error
        except (TimeoutError, aiohttp.ClientError, DecodeError) as error:
            raise StartUnclear(repr(error)) from error

    async def stop(self, egress_id: str) -> EgressInfo:
        """Stops an egress. Raises AlreadyOver, WorkerGone or Unavailable."""
        try:
            return await _limited(
                self._egresses.stop_egress(StopEgressRequest(egress_id=egress_id))
            )
        except ServerError as error:
            raise _unserved(error, f"StopEgress {egress_id}") from error

    async def probe(self, egress_id: str) -> None:
        """Asks an egress for a sign of life. Raises AlreadyOver, WorkerGone or Unavailable.

        UpdateStream without a URL: an egress that writes segments refuses it (`invalid_argument`,
        egress 1.14, ErrNonStreamingPipeline). Where nobody does, LiveKit gives up after 3 s.
        """
        try:
            await _limited(self._egresses.update_stream(UpdateStreamRequest(egress_id=egress_id)))
        except ServerError as error:
            if error.code != "invalid_argument":
                raise _unserved(error, f"UpdateStream {egress_id}") from error

    async def active_egresses(self) -> list[EgressInfo]:
        """Every egress that LiveKit takes for running, ghosts included. Raises Unavailable."""
        return await self._list(ListEgressRequest(active=True))

    async def room_egresses(self, room: str) -> list[EgressInfo]:
        """A room's egresses, ended ones of the last 24 h included. Raises Unavailable."""
        return await self._list(ListEgressRequest(room_name=room))

    async def egress(self, egress_id: str) -> EgressInfo | None:
        """One egress, ended ones of the last 24 h included. Raises Unavailable."""
        found = await self._list(ListEgressRequest(egress_id=egress_id))
        return found[0] if found else None

    async def rooms(self, names: Sequence[str] = ()) -> list[Room]:
        """All rooms, or those of these names that are there. Raises Unavailable, AnswerTooLong."""
        request = ListRoomsRequest(names=names)
        answer = await self._answer(self._rooms.list_rooms(request), "ListRooms")
        return list(answer.rooms)

    async def takes_key(self) -> bool:
        """Whether LiveKit believes what our key pair signs. Raises Unavailable.

        Asked by a room that needn't be there, which costs it little; livekit-server answers 401 if
        it does not know the key, if the secret is another, or a clock minutes off.
        """
        try:
            await _limited(self._rooms.list_rooms(ListRoomsRequest(names=[DATA_TOPIC])))
        except ServerError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise Unavailable(f"LiveKit answered {error} to ListRooms") from error
            return False
        return True

    async def room(self, name: str) -> Room | None:
        """One room; None if it is gone. Raises Unavailable."""
        found = await self.rooms([name])
        return found[0] if found else None

    async def participants(
        self, room: str, seconds: float = _CALL_SECONDS
    ) -> list[ParticipantInfo]:
        """Everybody in a room, recorders included; none if it is gone. Raises Unavailable."""
        try:
            call = self._rooms.list_participants(ListParticipantsRequest(room=room))
            answer = await self._answer(call, "ListParticipants", seconds)
        except _NotFound:
            return []
        return list(answer.participants)

    async def participant(self, room: str, identity: str) -> ParticipantInfo | None:
        """Somebody in a room; None if they, or the room, are gone. Raises Unavailable."""
        request = RoomParticipantIdentity(room=room, identity=identity)
        try:
            return await self._answer(self._rooms.get_participant(request), "GetParticipant")
        except _NotFound:
            return None

    async def say(self, room: str, identities: Sequence[str], data: bytes) -> None:
        """Sends a data message on topic `replay` to these people in a room.

        A room or participant that is gone has missed it. Raises Unavailable.
        """
        if not identities:
            return  # no destination would be everybody
        request = SendDataRequest(
            room=room,
            data=data,
            kind=DataPacket.Kind.RELIABLE,
            topic=DATA_TOPIC,
            destination_identities=identities,
        )
        with contextlib.suppress(_NotFound):
            await self._answer(self._rooms.send_data(request), "SendData")

    async def show_buffered(self, room: str, identity: str, buffered: bool) -> None:
        """Sets the participant attribute by which clients show that a share is being buffered.

        Somebody who is gone needs none. Raises Unavailable.
        """
        request = UpdateParticipantRequest(
            room=room,
            identity=identity,
            attributes={attributes.BUFFERED: "on" if buffered else ""},
        )
        with contextlib.suppress(_NotFound):
            await self._answer(self._rooms.update_participant(request), "UpdateParticipant")

    async def _list(self, request: ListEgressRequest) -> list[EgressInfo]:
        answer = await self._answer(self._egresses.list_egress(request), "ListEgress")
        return list(answer.items)

    async def _answer(self, call: Awaitable[T], name: str, seconds: float = _CALL_SECONDS) -> T:
        try:
            return await _limited(call, seconds)
        except ServerError as error:
            if error.code == "not_found":
                raise _NotFound(error.message) from error
            raise Unavailable(f"LiveKit answered {error} to {name}") from error


class _NotFound(Exception):
    """LiveKit does not know what was asked for."""


def _unserved(error: ServerError, asked: str) -> Exception:
    """Why an egress did not do what it was asked."""
    if error.code in ("failed_precondition", "not_found"):
        return AlreadyOver(error.message)
    if error.code in ("deadline_exceeded", "unavailable"):
        return WorkerGone(error.message)
    return Unavailable(f"LiveKit answered {error} to {asked}")


async def _limited(call: Awaitable[T], seconds: float = _CALL_SECONDS) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TooLong as error:
        raise AnswerTooLong(f"LiveKit's answer can't be read: {error}") from error
    except (TimeoutError, aiohttp.ClientError) as error:
        raise Unavailable(f"LiveKit does not answer: {error!r}") from error
    except DecodeError as error:
        raise Unavailable(f"LiveKit's answer can't be read: is it LiveKit? ({error})") from error
