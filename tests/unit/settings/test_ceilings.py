"""What an instance may allow, and what a community or a user may then be given."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.api.community_views import ConfigRequest
from app.api.quota_routes import QuotaRequest
from app.errors import ConfigurationError
from tests.unit.settings.test_settings import settings


@pytest.mark.parametrize(
    ("setting", "body", "field", "values"),
    [
        ("max_concurrent_top", ConfigRequest, "max_concurrent", [0, 10_001, 1_000_000, -1, 10**7]),
        ("max_concurrent", ConfigRequest, "max_concurrent", [0, 10_001, 1_000_000, -1, 10**7]),
        (
            "max_concurrent_per_user",
            ConfigRequest,
            "max_concurrent_per_user",
            [1, 10_001, 1_000_000, 0, 10**7],
        ),
        (
            "retention_minutes_top",
            ConfigRequest,
            "retention_minutes",
            [1e-3, 1441.0, 1e8, 0.0, -1.0, 1e9, float("inf")],
        ),
        (
            "retention_minutes",
            ConfigRequest,
            "retention_minutes",
            [1e-3, 1441.0, 1e8, 0.0, -1.0, 1e9, float("inf")],
        ),
        ("quota_bytes_top", QuotaRequest, "quota_bytes", [0, 2**53, -1, 2**53 + 1]),
        ("quota_bytes", QuotaRequest, "quota_bytes", [0, 2**53, -1, 2**53 + 1]),
    ],
)
def test_what_the_instance_may_allow_a_request_may_ask_for(
    setting: str, body: type[BaseModel], field: str, values: list[Any]
) -> None:
    """And nothing else: a ceiling that is told is one that can be reached."""

    def is_set(value: Any) -> bool:
        try:
            return bool(getattr(settings(**{setting: value}), setting) == value)
        except ConfigurationError:
            return False

    def is_taken(value: Any) -> bool:
        try:
            return bool(getattr(body.model_validate({field: value}), field) == value)
        except ValidationError:
            return False

    taken = [value for value in values if is_taken(value)]
    assert taken == [value for value in values if is_set(value)]
    assert 0 < len(taken) < len(values)
