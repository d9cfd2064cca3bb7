"""What an object store's errors mean, in a sentence: what is wrong, and what to do.

Their own texts are long, and repeat what was signed: of them no more is shown than a code. Pure.
"""

from __future__ import annotations

import re

from app.errors import StoreAway, StoreRefuses
from app.settings.store_place import StorePlace

RIGHTS = {
    "put": "s3:PutObject",
    "read": "s3:GetObject",
    "list": "s3:ListBucket",
    "delete": "s3:DeleteObject",
    "upload": "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload",
}
"""What is done, and which right S3 wants for it."""
_CHARACTERS = 65_536
"""Of a store's words that are looked at: they may be any number."""
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,60})</Code>")
_STATUS = re.compile(r"status:?\s+(?:code:?\s+)?(\d{3})", re.IGNORECASE)
_KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_REFUSALS = {
    "NoSuchBucket": "there is no such bucket: make it, or set {setting} and S3_ENDPOINT",
    "InvalidAccessKeyId": f"the store does not know our key: set {_KEYS}",
    "SignatureDoesNotMatch": f"our secret is not that of our key: set {_KEYS}",
    "AuthorizationHeaderMalformed": "our signature is for another region: set S3_REGION",
    "PermanentRedirect": "the bucket is elsewhere: set S3_ENDPOINT and S3_REGION",
    "ExpiredToken": "our session token has expired: set AWS_SESSION_TOKEN",
    "InvalidToken": "our session token is not valid: set AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "the clocks of store and this machine differ: set this one by NTP",
    "InvalidBucketState": "its objects may not be changed: take another bucket",
}
_AWAY = (
    (re.compile(r"refused", re.IGNORECASE), "it refuses the connection"),
    (re.compile(r"timed? ?out|timeout", re.IGNORECASE), "it does not answer in time"),
    (re.compile(r"dns|name resolution|resolve", re.IGNORECASE), "its host is not known"),
    (re.compile(r"reset|closed|incomplete", re.IGNORECASE), "it broke the connection off"),
    (re.compile(r"certificate|tls", re.IGNORECASE), "its certificate is not one that is trusted"),
)


def explained(place: StorePlace, doing: str, text: str) -> StoreAway:
    """The error that an object store's words stand for. `doing`: one of RIGHTS."""
    text = text[:_CHARACTERS]
    if "AWS_AUTH_CREDENTIALS_PROVIDER" in text:
        return StoreRefuses(f"{place}: there is no key for it: set {_KEYS}, or give us a role")
    code = found[1] if (found := _CODE.search(text)) else ""
    status = found[1] if (found := _STATUS.search(text)) else ""
    if code in _REFUSALS:
        return StoreRefuses(f"{place}: {_REFUSALS[code].format(setting=place.setting)} ({code})")
    if code == "AccessDenied" or status == "403":
        return StoreRefuses(
            f"{place}: our key may not {doing} there: give it {RIGHTS[doing]}"
            f" ({code or 'status 403'})"
        )
    if code or status:
        return StoreAway(f"{place}: the store answers {code or f'with status {status}'}")
    why = next((words for known, words in _AWAY if known.search(text)), "it does not answer")
    return StoreAway(f"{place}: {why}")
