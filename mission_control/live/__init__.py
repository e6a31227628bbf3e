"""The event log, and everything that reads it as it grows."""
