"""The doctor's findings for those who look from afar: soon, seldom, without a secret."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.condition import doctor
from app.condition.doctor import Finding
from app.settings import Settings

DEADLINE_SECONDS = 20.0
CACHE_SECONDS = 30.0
HIDDEN = "[hidden]"


@dataclass(frozen=True)
class Checked:
    """What was found, and when that began."""

    at: datetime
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(found.level != "fail" for found in self.findings)


class Checkup:
    """Has the doctor examine the installation: one run at a time, kept for CACHE_SECONDS."""

    def __init__(self, settings: Settings, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._settings = settings
        self._deadline_seconds = deadline_seconds
        self._secrets = secrets_of(settings)
        self._running = asyncio.Lock()
        self._fresh_until = 0.0
        self._checked: Checked | None = None

    async def read(self) -> Checked:
        """The findings of a run that began at most CACHE_SECONDS before, or of one made now."""
        async with self._running:
            if self._checked is None or time.monotonic() >= self._fresh_until:
                began = time.monotonic()
                self._checked = await self._run()
                self._fresh_until = began + CACHE_SECONDS
            return self._checked

    async def _run(self) -> Checked:
        at = datetime.now(UTC)
        findings: list[Finding] = []
        try:
            async with asyncio.timeout(self._deadline_seconds):
                async for found in doctor.examine(self._settings, at_a_glance=True):
                    findings.append(without(self._secrets, found))
        except TimeoutError:
            findings.append(
                Finding(
                    "deadline",
                    "fail",
                    f"after {self._deadline_seconds:g} s not everything had been looked at",
                    "run `python -m app doctor`, which takes its time",
                )
            )
        return Checked(at, tuple(findings))


def without(secrets: Iterable[str], found: Finding) -> Finding:
    """A finding in whose texts each secret is hidden: some errors tell of a URL as it is."""
    detail, advice = found.detail, found.advice
    for secret in secrets:
        detail, advice = detail.replace(secret, HIDDEN), advice.replace(secret, HIDDEN)
    return replace(found, detail=detail, advice=advice)


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every text in the settings that nobody may be shown: secrets, and passwords within URLs."""
    found = set(settings.key_pairs.values())
    for value in dict(settings).values():
        if isinstance(value, SecretStr):
            found.add(value.get_secret_value())
        elif isinstance(value, str) and "://" in value:
            password = urlsplit(value).password or ""
            found |= {password, unquote(password)}
    return frozenset(found - {""})
