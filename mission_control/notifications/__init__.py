"""What concerns a person by name: mentions and assigned tasks, with what was read."""
