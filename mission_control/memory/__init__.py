"""What is written down on boards and groups, chat included.

Read `commands.py` and `queries.py` first.
"""
