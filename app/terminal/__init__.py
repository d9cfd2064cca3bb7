"""What people ask the service for from a terminal."""
