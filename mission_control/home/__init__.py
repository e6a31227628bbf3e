"""Home: what needs a person, beside it what goes on without them; the page of one need; the shell.

Read `regions.py` and `listing.py` first.
"""
