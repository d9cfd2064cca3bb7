"""What an object store's words become: what is wrong, what to do, and no more of them."""

from __future__ import annotations

import pytest

from app.errors import StoreRefuses
from app.settings.store_place import StorePlace
from app.storage.store_answers import RIGHTS, explained

PLACE = StorePlace("s3", "bucket", "clips")
SIGNED = "<StringToSign>AWS4-HMAC-SHA256 20261128 the-whole-request</StringToSign>"


def answer(code: str, status: int = 403) -> str:
    """As obstore tells an error of S3."""
    return (
        f"Generic S3 error: Server returned non-2xx status code: {status} : <?xml?><Error>"
        f"<Code>{code}</Code><Message>no</Message>{SIGNED}</Error>"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("NoSuchBucket", "make it, or set CLIPS_URL"),
        ("InvalidAccessKeyId", "set AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "our secret is not that of our key"),
        ("RequestTimeTooSkewed", "clocks"),
        ("ExpiredToken", "AWS_SESSION_TOKEN"),
        ("AuthorizationHeaderMalformed", "S3_REGION"),
        ("AccessDenied", "our key may not delete there: give it s3:DeleteObject"),
        ("SomethingNew", "our key may not delete there: give it s3:DeleteObject"),
    ],
)
def test_a_refusal_says_what_to_change(code: str, words: str) -> None:
    error = explained(PLACE, "delete", answer(code))
    assert isinstance(error, StoreRefuses)
    assert words in error.detail
    assert code in error.detail
    assert error.detail.startswith("s3://bucket/clips: ")
    assert "AWS4" not in error.detail
    assert len(error.detail) < 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (answer("SlowDown", 503), "the store answers SlowDown"),
        (
            "Server returned non-2xx status code: 502 Bad Gateway",
            "the store answers with status 502",
        ),
        ("error sending request: tcp connect error: Connection refused (os error 111)", "refuses"),
        ("request or response body error: operation timed out", "does not answer in time"),
        ("dns error: failed to lookup address information", "its host is not known"),
        ("connection closed before message completed", "broke the connection off"),
        ("whatever", "it does not answer"),
    ],
)
def test_trouble_that_passes_is_no_refusal(text: str, words: str) -> None:
    error = explained(PLACE, "put", text)
    assert not isinstance(error, StoreRefuses)
    assert words in error.detail


def test_each_thing_that_is_done_has_its_right() -> None:
    """A sentence that names none helps nobody."""
    for doing, right in RIGHTS.items():
        assert right in explained(PLACE, doing, answer("AccessDenied")).detail
