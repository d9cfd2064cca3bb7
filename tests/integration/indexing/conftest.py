"""What is indexed here is what those shares record that buffers are tested with."""

from tests.integration.buffer.conftest import recording, share, silent_recording

__all__ = ["recording", "share", "silent_recording"]
