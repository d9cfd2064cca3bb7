"""What several settings have in common: lists of names, URLs, limits with their bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def _separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _url_of(*schemes: str) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if value and (urlsplit(value).scheme not in schemes or not urlsplit(value).hostname):
            raise ValueError(f"must be a URL with one of the schemes {', '.join(schemes)}")
        return value.rstrip("/")

    return checked


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated)]
"""Comma separated in the environment."""
HttpUrl = Annotated[str, AfterValidator(_url_of("http", "https"))]
LiveKitUrl = Annotated[str, AfterValidator(_url_of("http", "https", "ws", "wss"))]

# What the instance may be set to, a community or a user may be given, up to the ceiling. So the
# requests that give it take the same types.
Shares = Annotated[int, Field(ge=0, le=1_000_000)]
"""How many are recorded at once."""
SharesOfOne = Annotated[int, Field(ge=1, le=1_000_000)]
"""Of them of one user."""
RetentionMinutes = Annotated[float, Field(gt=0, le=1e8)]
"""How long media stays: at most 190 years, so that no date overflows."""
LinkDays = Annotated[float, Field(gt=0, le=3650)]
"""How long a clip's link holds."""
QuotaBytes = Annotated[int, Field(ge=0, le=2**53)]
"""Bytes that every reader of JSON can count."""
