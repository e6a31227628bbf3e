"""Webhooks that other systems call, webhooks that we call, and what forges tell.

Read `incoming/commands.py` and `outgoing/queue.py` first.
"""
