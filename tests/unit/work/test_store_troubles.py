"""Which errors say that a store is away, slow or refuses, and which are a row's or ours."""

from __future__ import annotations

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WTimeoutError,
)
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    DataError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    WatchError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from structlog.testing import capture_logs

from app.models.metric_words import StoreName, StoreTrouble
from app.work import rounds, store_troubles
from app.work.store_troubles import trouble_of

MONGO, REDIS = "mongo", "redis"
# fmt: off
TOLD: list[tuple[Exception, str, str]] = [
    (RedisConnectionError("refused"), REDIS, "away"),
    (WatchError("A ConnectionError occurred on while watching one or more keys"), REDIS, "away"),
    (RedisTimeoutError("no answer"), REDIS, "slow"),
    (BusyLoadingError("LOADING"), REDIS, "starting"),
    (AuthenticationError("WRONGPASS"), REDIS, "forbidden"),
    (NoPermissionError("no permissions to run SET"), REDIS, "forbidden"),
    (ReadOnlyError("You can't write against a read only replica."), REDIS, "read_only"),
    (OutOfMemoryError("command not allowed"), REDIS, "full"),
    (ResponseError("OOM command not allowed when used memory > 'maxmemory'."), REDIS, "full"),
    (ResponseError("MISCONF Redis is configured to save RDB snapshots"), REDIS, "unsaved"),
    (ResponseError("NOREPLICAS Not enough good replicas to write."), REDIS, "changing"),
    (ResponseError("EXECABORT Transaction discarded because of: OOM command"), REDIS, "full"),
    (AutoReconnect("closed"), MONGO, "away"),
    (ServerSelectionTimeoutError("nobody"), MONGO, "away"),
    (NotPrimaryError("not primary"), MONGO, "changing"),
    (NetworkTimeout("no answer"), MONGO, "slow"),
    (ExecutionTimeout("exceeded", 50), MONGO, "slow"),
    (WTimeoutError("replicas", 64), MONGO, "changing"),
    (OperationFailure("No space left", 14031), MONGO, "full"),
    (OperationFailure("you are over your space quota", 8000), MONGO, "full"),
    (OperationFailure("User writes blocked", 371), MONGO, "read_only"),
    (OperationFailure("not authorized on replay", 13), MONGO, "forbidden"),
    (OperationFailure("internal", 1), MONGO, "failing"),
    (BulkWriteError({"writeErrors": [{"index": 0, "code": 14031}]}), MONGO, "full"),
]
# fmt: on


@pytest.mark.parametrize(("error", "store", "why"), TOLD, ids=lambda each: repr(each)[:40])
def test_what_a_store_says_of_itself_is_told(error: Exception, store: str, why: str) -> None:
    trouble = trouble_of(error)
    assert trouble is not None
    assert (trouble.store, trouble.why) == (store, why)
    assert trouble.detail
    assert trouble.advice


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("taken", 11000),
        OperationFailure("unknown operator", 2),
        OperationFailure("without a code"),
        BulkWriteError({"writeErrors": [{"index": 0, "code": 11000}]}),
        DataError("no bytes"),
        NoScriptError("No matching script"),
        ResponseError("WRONGTYPE Operation against a key"),
        ResponseError("ERR unknown command"),
        ValueError("ours"),
    ],
    ids=repr,
)
def test_an_error_of_a_row_or_of_ours_is_none_of_a_store(error: Exception) -> None:
    assert trouble_of(error) is None


def test_what_is_wrong_has_words_for_people() -> None:
    for why in StoreTrouble:
        assert store_troubles.Trouble(StoreName.MONGO, why).advice


def test_a_store_that_refuses_ends_a_round_and_fails_nothing_of_it() -> None:
    """One that fails by itself may do so because of what it is asked: others have their turn."""
    with rounds.begun("round") as made:
        with pytest.raises(OutOfMemoryError), rounds.item(room="a"):
            raise OutOfMemoryError("full")
        with pytest.raises(OperationFailure), rounds.item(room="a"):
            raise OperationFailure("No space left", 14031)
        assert made.failed == 0
        with rounds.item(room="b"):
            raise OperationFailure("internal", 1)
    assert made.failed == 1


def test_a_minute_of_refusals_has_one_line() -> None:
    with capture_logs() as logs:
        for _ in range(100):
            store_troubles.note(ResponseError("MISCONF can't save"))
    (told,) = logs
    assert (told["event"], told["store"], told["why"]) == ("store_trouble", "redis", "unsaved")
    assert "disk" in told["remedy"]
