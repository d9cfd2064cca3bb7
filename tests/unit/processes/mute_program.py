"""A program of a pool that never says that it is ready."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.pause()
