"""Groups of boards.

Read `queries.py` (who may, and the state of the boards) first.
"""
