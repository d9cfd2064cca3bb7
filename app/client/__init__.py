"""The HTTP interface's client for the terminal."""
