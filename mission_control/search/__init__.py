"""Full-text search and the palette. The index itself is `database/search_index.py`."""
