"""The writer of the buffer: from a playlist's line to a fragment and its row."""
