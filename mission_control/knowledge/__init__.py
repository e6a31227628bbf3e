"""What is written down and found again: groups, memory, search, metrics."""
