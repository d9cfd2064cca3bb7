"""The replay buffer: one package for each capability, and the frame that all of them stand on."""
