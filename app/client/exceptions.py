"""What can go wrong for who asks the service, and how a problem document is read."""

from __future__ import annotations

from typing import Any

import httpx

from .answers import ProgressAnswer

_SHOWN = 200


class ClientError(Exception):
    """Below it is all that the client raises of the service's answers, or for want of one."""


class NoAnswerError(ClientError):
    """Nobody answered, or not to the end, or with something that is not the service's."""


class ProblemError(ClientError):
    """The service answered with a problem (RFC 9457).

    `type` is the slug that stays, such as `not-found`; "" of an answer that is not the service's,
    of a proxy for instance. `retry_after`: seconds. `problem`: the whole document.
    """

    def __init__(
        self, status: int, problem: dict[str, Any], text: str = "", retry_after: float | None = None
    ) -> None:
        self.status = status
        self.problem = problem
        self.type = str(problem.get("type", ""))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", "")) or text[:_SHOWN]
        self.retry_after = retry_after
        said = ": ".join(part for part in (self.title, self.detail) if part)
        later = "" if retry_after is None else f" (try again in {retry_after:g} s)"
        super().__init__(f"{status} {said}{later}")

    @property
    def is_put_off(self) -> bool:
        """Whether the service asks to be asked again, and has done nothing yet."""
        return self.status in (429, 503) and self.retry_after is not None


class CaptureEndedError(ClientError):
    """A capture has failed, was cancelled, or its clip was deleted at once. `progress`: its end."""

    def __init__(self, progress: ProgressAnswer) -> None:
        self.progress = progress
        why = progress["reason"] or progress["detail"] or "its clip is gone"
        super().__init__(f"the capture is {progress['status']}: {why}")


def problem_of(answer: httpx.Response) -> ProblemError:
    """The problem that an answer tells; its content has been read."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    problem = document if isinstance(document, dict) and "type" in document else {}
    return ProblemError(answer.status_code, problem, answer.text, _retry_after(answer, problem))


def _retry_after(answer: httpx.Response, problem: dict[str, Any]) -> float | None:
    """Seconds: of the document, which may have fractions, else of the header. Dates are no help."""
    told = problem.get("retry_after", answer.headers.get("Retry-After", ""))
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None
