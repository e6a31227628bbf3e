"""Agents: their tokens, souls, work states, usage, connections and inboxes.

Read `queries.py` (who sees them) and `commands.py` first.
"""
