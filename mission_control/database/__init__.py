"""Connections, statements and migrations for SQLite and PostgreSQL."""
