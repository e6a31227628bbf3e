"""Raw SQL in one spelling for both databases."""

import functools
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from mission_control.core.clock import naive_utc, wire
from mission_control.database.typed_rows import instances


def connection() -> BaseDBAsyncClient:
    """The running transaction's connection, or the pool."""
    return get_connection("default")


def is_postgres() -> bool:
    """Whether the database is PostgreSQL (else SQLite)."""
    return connection().capabilities.dialect == "postgres"


async def rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Run a statement with `?` placeholders; UUIDs and datetimes may be passed as they are."""
    client = connection()
    if client.capabilities.dialect == "postgres":
        return list(await client.execute_query_dict(_numbered(sql), list(values)))
    return list(await client.execute_query_dict(sql, [_plain(value) for value in values]))


async def select[Row](row: type[Row], sql: str, *values: Any) -> list[Row]:
    """Run a statement like `rows` and return instances of a dataclass whose fields are named like its columns.

    Annotations say what values become on both databases: `UUID`, `datetime` (naive UTC), `bool`, `int`, `float`,
    `dict` and `list` (JSON), `str` (an id as text too), each `| None`; a value of any other type stays as it is. A
    column without a field, or a field without a column or default, is a TypeError.
    """
    client = connection()
    if client.capabilities.dialect == "postgres":
        _, found = await client.execute_query(_numbered(sql), list(values))
    else:
        _, found = await client.execute_query(sql, [_plain(value) for value in values])
    return instances(row, found)


async def select_one[Row](row: type[Row], sql: str, *values: Any) -> Row | None:
    """Run a statement like `select` and return its first row, or None."""
    found = await select(row, sql, *values)
    return found[0] if found else None


def lowered(text: str) -> str:
    """SQL for a text in small letters, those beyond ASCII among them; compare it with what Python's `lower` made.

    For conditions only: indexes and constraints have LOWER, which does the same for ASCII.
    """
    return f"LOWER({text})" if is_postgres() else f"unicode_lower({text})"


def contains(column: str) -> str:
    """Return SQL for "the column contains a text, whatever the case". Its parameter is `containing(text)`."""
    return f"{lowered(column)} LIKE ? ESCAPE '!'"


def containing(text: str) -> str:
    """Return the pattern that finds a text as it stands: its own `%` and `_` mean nothing else."""
    return f"%{re.sub('([!%_])', r'!\1', text.lower())}%"


def placeholders(count: int) -> str:
    """`?, ?, ?` for an IN list of known length."""
    return ", ".join("?" * count)


def as_id(value: Any) -> UUID | None:
    """A UUID column's value as a UUID on both databases."""
    return value if value is None or isinstance(value, UUID) else UUID(str(value))


def as_moment(value: Any) -> datetime | None:
    """A timestamp column's value as a naive UTC datetime on both databases."""
    return naive_utc(datetime.fromisoformat(value)) if isinstance(value, str) else value


def as_json(value: Any) -> Any:
    """A JSON column's value on both databases."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value


@functools.lru_cache(maxsize=512)
def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1)) + parts[-1]


def wire_moment(value: Any) -> Any:
    """Return a timestamp column's value as it is answered in JSON, which is RFC 3339 in UTC, on both databases."""
    if isinstance(value, datetime):
        return wire(value)
    return f"{value.replace(' ', 'T', 1)}Z" if isinstance(value, str) else value
