"""The replay buffer: one package for each capability, and the frame that all of them stand on."""

import os

# pydantic would read what every installed package tells of itself, for plugins that nobody has: up
# to 10 ms of each process.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
