"""From an older version of the rows to that of this release, step by step."""
