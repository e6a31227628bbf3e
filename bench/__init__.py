"""Repeatable measurements of the public API: `python -m bench`."""
