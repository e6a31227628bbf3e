"""Custom fields of tasks, and their values."""
