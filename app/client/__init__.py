"""The HTTP interface's client for programs in Python: it needs httpx, and nothing else of ours."""

from .async_client import AsyncReplayClient
from .blocking_client import ReplayClient
from .exceptions import CaptureEndedError, ClientError, NoAnswerError, ProblemError
from .server_events import BufferChanged, BufferGone, BuffersListed, BufferUpdate

__all__ = [
    "AsyncReplayClient",
    "BufferChanged",
    "BufferGone",
    "BufferUpdate",
    "BuffersListed",
    "CaptureEndedError",
    "ClientError",
    "NoAnswerError",
    "ProblemError",
    "ReplayClient",
]
