"""Conversations of agents' programs: reported, read, shown."""
