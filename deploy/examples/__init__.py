"""Small apps that have replay in them: see README.md."""
