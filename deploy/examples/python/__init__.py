"""A bot that makes a clip when somebody says so in the chat."""
