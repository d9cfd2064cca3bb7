"""Files that stay inside their root, and survive a power cut."""
