"""The settings: one environment variable each, read here and nowhere else.

`.env` in the working directory is read too; the environment wins over it.
"""

from __future__ import annotations

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from app.errors import ConfigurationError
from app.settings.clip_settings import ClipSettings
from app.settings.livekit_settings import LiveKitSettings
from app.settings.server_settings import ServerSettings
from app.settings.storage_settings import StorageSettings


# pydantic reads the fields of the last base first
class Settings(ClipSettings, StorageSettings, ServerSettings, LiveKitSettings):
    """Every setting of the service. Field names are the environment variables in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)


def load(**given: object) -> Settings:
    """The settings of the environment, `given` values first.

    Raises ConfigurationError that names each wrong variable, its value (not if it is a secret)
    and what is allowed.
    """
    try:
        # pydantic-settings fills the fields from the environment
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(message)
            continue
        name = str(problem["loc"][0])
        secret = Settings.model_fields[name].annotation is SecretStr
        shown = "" if secret or problem["input"] in ("", None) else f"={problem['input']!r}"
        lines.append(f"{name.upper()}{shown} {message}")
    return "\n".join(lines)
