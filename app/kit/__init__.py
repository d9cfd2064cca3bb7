"""The kit: one module of JavaScript that puts replay into a LiveKit app, served to any page."""
