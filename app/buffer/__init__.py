"""The store of segments: names on disk, pins, coverage, the clock, markers, how long they stay."""
