"""Log lines: structlog events with key=value, for people or as JSON.

Names, titles and errors of others stand in them: what would move a terminal's cursor, colour it,
turn the direction of writing or begin another line is escaped, and what is long is cut.
"""

from __future__ import annotations

import logging
import sys
import unicodedata
from types import TracebackType
from typing import Any

import structlog

from app.settings import Settings

LONGEST = 1000
"""Characters of one value; a playlist's line or a title may have any number."""
_DEEPEST = 5
_UNSAFE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def configure(settings: Settings, role: str) -> None:
    """Sets up structlog and the standard library's loggers for this process.

    Every line bears the process's role. Libraries speak from WARNING on.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _tamed,
    ]
    render: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # the default would show local variables, tokens among them
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(
            getattr(logging, settings.log_level.upper())
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    sys.excepthook = _tell_of_crash
    structlog.contextvars.bind_contextvars(role=role)


def _tell_of_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """What ends a process is a line like any other, also where lines are JSON."""
    structlog.get_logger().critical("process_ended", exc_info=(kind, error, trace))


def _tamed(_logger: Any, _method: str, event: structlog.typing.EventDict) -> dict[str, Any]:
    """A line's values without what a terminal or a reader of lines would act on."""
    return {
        key: value if key == "exc_info" or key.startswith("_") else tame(value)
        for key, value in event.items()
    }


def tame(value: Any, depth: int = 0) -> Any:
    """Text with control and format characters (Cc, Cf, Zl, Zp, Cs) escaped, cut at LONGEST.

    So is text within lists and mappings, `_DEEPEST` levels down; what lies deeper is its repr.
    """
    if isinstance(value, str):
        return escaped(value[:LONGEST]) + ("…" if len(value) > LONGEST else "")
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < _DEEPEST and isinstance(value, dict):
        return {tame(str(key)): tame(each, depth + 1) for key, each in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [tame(each, depth + 1) for each in value]
    return tame(repr(value), depth)


def escaped(text: str) -> str:
    """Text that can be shown, and encoded: `tame` of all of it, however long."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSAFE
        else character
        for character in text
    )
