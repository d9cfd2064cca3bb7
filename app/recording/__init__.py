"""What should be recorded, and making it so: facts, admission, planner, LiveKit's API."""
