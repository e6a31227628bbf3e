"""Work beside requests: loops, the sending of deliveries under leases, and who is present at a board.

A room declares a `Loop` (`loops.py`) or a sender (`sending.py`); nothing here knows what is sent.
"""
