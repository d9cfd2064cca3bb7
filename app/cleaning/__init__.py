"""The cleaner of the buffer: what may go goes, in an order that heals. And the buffer's checker."""
