"""The event log as people and agents read it."""
