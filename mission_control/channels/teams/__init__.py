"""The place of a board's team in a chat."""
