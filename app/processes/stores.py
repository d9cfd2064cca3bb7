"""The stores of a service: those that its settings give, else embedded ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from app.errors import ConfigurationError
from app.processes.embedded import embedded_stores, running_stores
from app.settings import Settings
from app.work.troubles import Troubles


@asynccontextmanager
async def provided_stores(settings: Settings, troubles: Troubles) -> AsyncIterator[dict[str, str]]:
    """Runs embedded stores in place of those that are not given; yields their URLs by setting."""
    missing = _missing(settings)
    if not missing:
        yield {}
        return
    async with embedded_stores(settings.data_dir, missing, troubles) as urls:
        yield urls


def with_stores(settings: Settings, urls: Mapping[str, str]) -> Settings:
    """The settings with URLs by setting, such as MONGO_URL."""
    return settings.model_copy(update={name.lower(): url for name, url in urls.items()})


def with_running_stores(settings: Settings) -> Settings:
    """The settings with the stores of the service that runs here, in place of those not given.

    Raises ConfigurationError if none runs.
    """
    missing = _missing(settings)
    running = running_stores(settings.data_dir) if missing else {}
    if unknown := [name for name in missing if name not in running]:
        raise ConfigurationError(
            f"{' and '.join(unknown)} missing, and no service with embedded stores runs on "
            f"DATA_DIR={str(settings.data_dir)!r}: set them, or start `python -m app`"
        )
    return with_stores(settings, {name: running[name] for name in missing})


def _missing(settings: Settings) -> list[str]:
    given = {"MONGO_URL": settings.mongo_url, "REDIS_URL": settings.redis_url}
    return [name for name, url in given.items() if not url]
