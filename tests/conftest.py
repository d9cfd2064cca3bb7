"""What every test gets: an environment without the developer's own settings."""

from __future__ import annotations

import os

from app.settings import Settings

MONGO_URL = os.environ.pop("MONGO_URL", "")
"""A MongoDB given from outside, for the store tests to run on; empty: an embedded one."""

for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)
