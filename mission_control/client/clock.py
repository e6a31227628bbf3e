"""The time for all of the client, in one place, so that tests can step it."""

from time import monotonic, sleep, time, time_ns

__all__ = ["monotonic", "sleep", "time", "time_ns"]
