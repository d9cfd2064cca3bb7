"""What several settings have in common: lists of names, URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
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
