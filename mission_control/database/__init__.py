"""Connections, statements and migrations for SQLite and PostgreSQL. It knows no room above it.

Read `sql.py` (statements in one spelling for both) and `records.py` (rows as instances of their models) first.
"""
