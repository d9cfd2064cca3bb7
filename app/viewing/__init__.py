"""The reader of the buffer: timelines, windows, playlists, served movies, pictures."""
