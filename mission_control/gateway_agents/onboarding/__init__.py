"""Setting up a board in a conversation."""
