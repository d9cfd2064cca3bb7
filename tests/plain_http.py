"""HTTP in plain text, to servers on this machine."""

from __future__ import annotations

from typing import Any

import httpx

from tests.waiting import PATIENCE_SECONDS


def plain_client(**given: Any) -> httpx.AsyncClient:
    """A client as patient as tests are. It reads no certificates, which takes 25 ms each time."""
    settings = {"timeout": PATIENCE_SECONDS} | given
    return httpx.AsyncClient(trust_env=False, verify=False, **settings)
