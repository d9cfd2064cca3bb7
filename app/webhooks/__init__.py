"""LiveKit's webhooks: verified, and handed to whoever handles them."""
