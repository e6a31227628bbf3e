"""Addresses of ours at which other systems write to a board."""
