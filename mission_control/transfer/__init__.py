"""Export and import of boards, with their history.

Read `file.py` (the format) first.
"""
