"""Notifications of people: what they may read, and the transaction that notifies them.

Read `commands.py` first."""
