"""What waits for a person, of every kind, in one list: found, said, answered, put off.

A kind is declared in the `needs.py` of the room that it is about. Read `kinds.py` first, then `queries.py`.
"""
