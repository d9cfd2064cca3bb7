"""The library of clips: found, changed, opened to others, deleted, expired."""
