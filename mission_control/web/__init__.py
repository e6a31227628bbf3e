"""What pages are made of: rendering, forms, actions, regions that stay current, the shell.

It knows no room that has pages. Read `regions.py` and `actions.py` first.
"""
