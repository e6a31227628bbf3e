"""References to missing rows."""

import sqlite3

import asyncpg


def is_missing_reference(error: Exception) -> bool:
    """Whether a row was refused because another one that it names does not exist."""
    reason = error.args[0] if error.args else None
    if isinstance(reason, sqlite3.IntegrityError):
        return reason.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY"
    return isinstance(reason, asyncpg.ForeignKeyViolationError)
