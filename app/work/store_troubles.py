"""A database or a Redis that is away, slow, or refuses: told from an error that is only one row's.

Whoever asked is told to ask again, and one line a minute says of each store what is wrong with it.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    WatchError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app import metrics
from app.models.metric_words import StoreName, StoreTrouble
from app.work.log_lines import LogLines

LINES = 1
"""A minute, of each store and what is wrong with it."""
_CHARACTERS = 300
"""Of an error: PyMongo's describe the whole topology."""
_SAYS = {
    StoreTrouble.AWAY: "does not answer",
    StoreTrouble.SLOW: "does not answer in time",
    StoreTrouble.STARTING: "is only loading its data",
    StoreTrouble.CHANGING: "has no primary at the moment, or too few replicas",
    StoreTrouble.READ_ONLY: "takes no writes: it is read-only",
    StoreTrouble.FULL: "takes no writes: its memory or its disk is full",
    StoreTrouble.UNSAVED: "takes no writes: it can't save them to its disk",
    StoreTrouble.FORBIDDEN: "does not let our user do it",
    StoreTrouble.FAILING: "fails by itself",
}
_TO_DO = {
    StoreTrouble.AWAY: "see that it runs, and that {setting} leads to it",
    StoreTrouble.SLOW: "see what it is busy with, and how it is reached",
    StoreTrouble.STARTING: "wait; its log tells how far it is",
    StoreTrouble.CHANGING: "see which of its servers are there",
    StoreTrouble.READ_ONLY: "let {setting} name the primary, or let it take writes again",
    StoreTrouble.FULL: "give it more memory or disk; a Redis that evicts keys is none for a queue",
    StoreTrouble.UNSAVED: "see to the disk of the store, and to its log",
    StoreTrouble.FORBIDDEN: "see which user {setting} names, and what that may do",
    StoreTrouble.FAILING: "its log tells more",
}
_NAMES = {StoreName.MONGO: "the database", StoreName.REDIS: "the queue"}
_SETTINGS = {StoreName.MONGO: "MONGO_URL", StoreName.REDIS: "REDIS_URL"}
_BY_TYPE: tuple[tuple[type[Exception], StoreName, StoreTrouble], ...] = (
    (RedisTimeoutError, StoreName.REDIS, StoreTrouble.SLOW),
    (BusyLoadingError, StoreName.REDIS, StoreTrouble.STARTING),
    (AuthenticationError, StoreName.REDIS, StoreTrouble.FORBIDDEN),
    (MasterDownError, StoreName.REDIS, StoreTrouble.CHANGING),
    (RedisConnectionError, StoreName.REDIS, StoreTrouble.AWAY),
    (WatchError, StoreName.REDIS, StoreTrouble.AWAY),  # arq's of a connection that broke meanwhile
    (ReadOnlyError, StoreName.REDIS, StoreTrouble.READ_ONLY),
    (OutOfMemoryError, StoreName.REDIS, StoreTrouble.FULL),
    (NoPermissionError, StoreName.REDIS, StoreTrouble.FORBIDDEN),
    (NotPrimaryError, StoreName.MONGO, StoreTrouble.CHANGING),
    (NetworkTimeout, StoreName.MONGO, StoreTrouble.SLOW),
    (WaitQueueTimeoutError, StoreName.MONGO, StoreTrouble.SLOW),
    (ConnectionFailure, StoreName.MONGO, StoreTrouble.AWAY),
    (ExecutionTimeout, StoreName.MONGO, StoreTrouble.SLOW),
    (WTimeoutError, StoreName.MONGO, StoreTrouble.CHANGING),
)
"""The first that fits holds."""
_OF_REDIS = {
    "BUSY": StoreTrouble.SLOW,
    "CLUSTERDOWN": StoreTrouble.CHANGING,
    "LOADING": StoreTrouble.STARTING,
    "MASTERDOWN": StoreTrouble.CHANGING,
    "MISCONF": StoreTrouble.UNSAVED,
    "NOAUTH": StoreTrouble.FORBIDDEN,
    "NOPERM": StoreTrouble.FORBIDDEN,
    "NOREPLICAS": StoreTrouble.CHANGING,
    "OOM": StoreTrouble.FULL,
    "READONLY": StoreTrouble.READ_ONLY,
    "WRONGPASS": StoreTrouble.FORBIDDEN,
}
"""By the word that an answer begins with. In a transaction that is discarded it comes later on."""
_OF_MONGO = {
    **dict.fromkeys((6, 7, 89, 9001), StoreTrouble.AWAY),
    **dict.fromkeys((24, 46, 50, 112, 202, 262), StoreTrouble.SLOW),
    **dict.fromkeys(
        (64, 79, 91, 100, 133, 189, 10058, 10107, 11600, 11602, 13435, 13436),
        StoreTrouble.CHANGING,
    ),
    371: StoreTrouble.READ_ONLY,
    **dict.fromkeys((8000, 14031), StoreTrouble.FULL),
    **dict.fromkeys((13, 18), StoreTrouble.FORBIDDEN),
    **dict.fromkeys((1, 8, 39), StoreTrouble.FAILING),
}
"""By the code of the answer."""


class Trouble(NamedTuple):
    """Which store, and what is wrong with it."""

    store: StoreName
    why: StoreTrouble

    @property
    def says(self) -> str:
        return _SAYS[self.why]

    @property
    def detail(self) -> str:
        return f"{_NAMES[self.store]} {self.says}"

    @property
    def advice(self) -> str:
        return _TO_DO[self.why].format(setting=_SETTINGS[self.store])


def trouble_of(error: BaseException) -> Trouble | None:
    """What is wrong with a store, if that is what the error says. Pure."""
    for kind, store, why in _BY_TYPE:
        if isinstance(error, kind):
            return Trouble(store, why)
    if isinstance(error, ResponseError):
        found = next((_OF_REDIS[word] for word in _words(error) if word in _OF_REDIS), None)
        return None if found is None else Trouble(StoreName.REDIS, found)
    if isinstance(error, OperationFailure) and (code := _code(error)) in _OF_MONGO:
        return Trouble(StoreName.MONGO, _OF_MONGO[code])
    return None


def is_everybodys(error: BaseException) -> bool:
    """Whether nobody else would be served either: what fails by itself may be one row's."""
    trouble = trouble_of(error)
    return trouble is not None and trouble.why != StoreTrouble.FAILING


def note(error: BaseException) -> Trouble | None:
    """Counts what is wrong with a store, and logs it where that was not of late."""
    trouble = trouble_of(error)
    if trouble is not None:
        metrics.STORE_TROUBLES.labels(*trouble).inc()
        if _lines.take(":".join(trouble)):
            log.error(
                "store_trouble",
                store=trouble.store,
                why=trouble.why,
                remedy=trouble.advice,
                error=str(error)[:_CHARACTERS],
            )
    return trouble


def _words(error: ResponseError) -> list[str]:
    return str(error)[:_CHARACTERS].replace(":", " ").split()


def _code(error: OperationFailure) -> int:
    """That of the first write that failed, of several; 0 if there is none."""
    failed = (error.details or {}).get("writeErrors")
    code = failed[0].get("code") if failed else error.code
    return code if isinstance(code, int) else 0


_lines = LogLines("store_troubles_without_lines", per_minute=LINES)
log = structlog.get_logger()
