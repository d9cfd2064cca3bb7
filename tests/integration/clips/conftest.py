"""The clips here are made of the shares that captures are tested with."""

from tests.integration.captures.conftest import ended_share, factory, recording

__all__ = ["ended_share", "factory", "recording"]
