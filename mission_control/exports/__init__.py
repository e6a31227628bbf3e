"""A board as a file, and back."""
