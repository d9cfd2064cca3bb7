"""Files that stay inside their root, are opened with care, and survive a power cut."""
