"""The console: the page that people look at, served as plain modules, styles and texts."""
