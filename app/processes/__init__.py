"""Processes: the supervisor, its children, the embedded stores."""
