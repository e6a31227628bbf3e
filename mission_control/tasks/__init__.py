"""Tasks and everything on a board: cards, panel, comments, tags, custom fields, proposals, activity.

Read `fields.py` (the table of fields), `rules.py` (who may change what) and `commands.py` first.
"""
