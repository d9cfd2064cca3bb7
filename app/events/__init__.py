"""Our own events: written down first, delivered later."""
