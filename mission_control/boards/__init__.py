"""Boards: columns, rules, views, import in pieces. What stands on a board is in `tasks`.

Read `queries.py` and `policy.py` first.
"""
