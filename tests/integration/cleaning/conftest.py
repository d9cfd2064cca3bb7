"""What is cleaned here are the shares that buffers are tested with."""

from tests.integration.buffer.conftest import recording, share, silent_recording

__all__ = ["recording", "share", "silent_recording"]
