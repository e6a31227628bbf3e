"""The panel of a task, and everything in it."""
