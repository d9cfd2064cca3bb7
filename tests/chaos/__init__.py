"""The chaos suite: real shares go on while something is harmed, then nothing promised is lost."""
