"""The doctor's findings for those who look from afar: soon, seldom, without a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.condition import doctor
from app.condition.answer_cache import AnswerCache
from app.condition.findings import Finding
from app.settings import Settings

DEADLINE_SECONDS = 20.0
CACHE_SECONDS = 30.0
HIDDEN = "[hidden]"


@dataclass(frozen=True)
class Examination:
    """What was found, and when that began."""

    at: datetime
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.level != "fail" for finding in self.findings)


class Checkup(AnswerCache[Examination]):
    """The doctor's examination of the installation: one at a time, every CACHE_SECONDS."""

    def __init__(self, settings: Settings, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        super().__init__(self._run, lambda _, took_seconds: CACHE_SECONDS - took_seconds)
        self._settings = settings
        self._deadline_seconds = deadline_seconds
        self._secrets = secrets_of(settings)

    async def _run(self) -> Examination:
        at = datetime.now(UTC)
        findings: list[Finding] = []
        try:
            async with asyncio.timeout(self._deadline_seconds):
                async for finding in doctor.examine(self._settings, at_a_glance=True):
                    findings.append(without(self._secrets, finding))
        except TimeoutError:
            findings.append(
                Finding(
                    "deadline",
                    "fail",
                    f"after {self._deadline_seconds:g} s not everything had been looked at",
                    "run `python -m app doctor`, which takes its time",
                )
            )
        return Examination(at, tuple(findings))


def without(secrets: Iterable[str], finding: Finding) -> Finding:
    """A finding in whose texts each secret is hidden: some errors tell of a URL as it is."""
    detail, advice = finding.detail, finding.advice
    for secret in secrets:
        detail, advice = detail.replace(secret, HIDDEN), advice.replace(secret, HIDDEN)
    return replace(finding, detail=detail, advice=advice)


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every text in the settings that nobody may be shown: secrets, and passwords within URLs."""
    secrets = set(settings.key_pairs.values())
    for value in dict(settings).values():
        if isinstance(value, SecretStr):
            secrets.add(value.get_secret_value())
        elif isinstance(value, str) and "://" in value:
            password = urlsplit(value).password or ""
            secrets |= {password, unquote(password)}
    return frozenset(secrets - {""})
