"""The event log, the commands that record in it, and its streams. Everything live, audited or sent begins here.

Read `commands.py` (one function and one transaction a change), then `event_log.py` and `broker.py`.
"""
