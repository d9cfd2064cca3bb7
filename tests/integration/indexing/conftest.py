"""What is indexed here is what those shares record that buffers are tested with."""

from tests.integration.buffer.conftest import recording, share, silent_recording
from tests.integration.recording.conftest import asked

__all__ = ["asked", "recording", "share", "silent_recording"]
