"""Asking for a clip and making it."""
