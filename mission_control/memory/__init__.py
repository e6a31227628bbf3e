"""Board memory and group memory: chat and notes."""
