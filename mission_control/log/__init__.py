"""The event log, its streams, and commands, which record in it."""
