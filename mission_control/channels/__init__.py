"""What needs people finds them: where they are reached, when what is sent, and answers from outside.

A channel is one module in `providers/`. Read `channel.py` (what it can) and `delivery/plan.py` (when what is
sent) first.
"""
