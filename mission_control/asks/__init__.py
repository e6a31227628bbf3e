"""What waits for a person, of every kind, in one list."""
