"""One page with livekit-client: share a screen, Alt+C, and the link of the clip is in the chat."""
