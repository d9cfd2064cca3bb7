"""Serving HTTP: uvicorn within bounds, for connections, sizes and times."""
