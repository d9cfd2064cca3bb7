"""The replay buffer: one package for each capability, and the frame that all of them stand on."""

import os

# pydantic would read what every installed package tells of itself, for plugins that nobody has: a
# seventh of what `python -m app health` takes.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
