"""Full-text search and the palette.

Read `queries.py` first. The index itself is `database/search_index.py`.
"""
