"""LiveKit's React components with replay in them: share, Alt+C, the link is in their chat."""
