"""What is sent when, to whom, and what became of it."""
