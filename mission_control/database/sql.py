"""Raw SQL in one spelling for both databases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection

from mission_control.core.clock import naive_utc, wire, wire_texts
from mission_control.database.typed_rows import instances, wire_columns

# A row by the names of its columns, as the database gives it; values of placeholders; and a condition with its own.
type Row = dict[str, Any]
type Values = list[Any]
type Condition = tuple[str, Values]
SEARCHED = 20_000  # characters of a text


def connection() -> BaseDBAsyncClient:
    """The running transaction's connection, or the pool."""
    return get_connection("default")


class _Client(Protocol):
    async def fetch(self, sql: str, values: Sequence[Any]) -> tuple[tuple[str, ...], Sequence[Sequence[Any]]]:
        """The names of a statement's columns and its rows."""


def is_postgres() -> bool:
    """Whether the database is PostgreSQL (else SQLite)."""
    return connection().capabilities.dialect == "postgres"


async def fetch(sql: str, values: Sequence[Any]) -> tuple[tuple[str, ...], Sequence[Sequence[Any]]]:
    """Run a statement like `rows`; return the names of its columns and its rows as they are."""
    return await cast(_Client, connection()).fetch(sql, values)


async def rows(sql: str, *values: Any) -> list[Row]:
    """Run a statement with `?` placeholders; UUIDs and datetimes may be passed as they are."""
    columns, found = await fetch(sql, values)
    return [dict(zip(columns, row, strict=True)) for row in found]


async def select[T](row: type[T], sql: str, *values: Any) -> list[T]:
    """Run a statement like `rows` and return instances of a dataclass or a schema, with fields named like its columns.

    Annotations say what values become on both databases: `UUID`, `datetime` (naive UTC), `bool`, `int`, `float`,
    `dict` and `list` (JSON), `str` (an id as text too), each `| None`; a value of any other type stays as it is. A
    column without a field, or a field without a column or default, is a TypeError.
    """
    columns, found = await fetch(sql, values)
    return instances(row, columns, found)


async def select_columns(kinds: Mapping[str, Any], sql: str, *values: Any) -> dict[str, Sequence[Any]]:
    """Run a statement like `rows` and return its columns by name, for answers.

    `kinds` has its columns, in their order, with the annotations of `select`: a `UUID` becomes text, a `datetime`
    what `to_json` writes as it has to be, others the same as there. Columns are faster to make than instances.
    """
    columns, found = await fetch(sql, values)
    return wire_columns(kinds, columns, found)


async def select_one[T](row: type[T], sql: str, *values: Any) -> T | None:
    """Run a statement like `select` and return its first row, or None."""
    found = await select(row, sql, *values)
    return found[0] if found else None


def lowered(text: str) -> str:
    """SQL for a text in small letters, those beyond ASCII among them; compare it with what Python's `lower` made.

    For conditions only: indexes and constraints have LOWER, which does the same for ASCII.
    """
    return f"LOWER({text})" if is_postgres() else f"unicode_lower({text})"


def searched(column: str) -> str:
    """Return SQL for the part of a text that is compared with words: its first 20,000 characters."""
    return f"substr({column}, 1, {SEARCHED})"


def contains(column: str) -> str:
    """Return SQL for "the column contains a text, whatever the case". Its parameter is `text.lower()`."""
    return f"{place_in(lowered(searched(column)))} > 0"


def place_in(text: str) -> str:
    """Return SQL for where in a text the parameter begins, from 1 on; 0 when nowhere.

    Not LIKE, which takes the product of both lengths.
    """
    return f"{'strpos' if is_postgres() else 'instr'}({text}, ?)"


def placeholders(count: int) -> str:
    """`?, ?, ?` for an IN list of known length."""
    return ", ".join("?" * count)


def as_id(value: Any) -> UUID | None:
    """A UUID column's value as a UUID on both databases."""
    return value if value is None or isinstance(value, UUID) else UUID(str(value))


def as_moment(value: Any) -> datetime | None:
    """A timestamp column's value as a naive UTC datetime on both databases."""
    moment = datetime.fromisoformat(value) if type(value) is str else value
    return moment if moment is None or moment.tzinfo is None else naive_utc(moment)


def as_json(value: Any) -> Any:
    """A JSON column's value on both databases."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def wire_moment(value: Any) -> Any:
    """Return a timestamp column's value as it is answered in JSON, which is RFC 3339 in UTC, on both databases."""
    if value is None:
        return None
    if type(value) is str:
        return wire_texts((value,))[0]
    return wire(value) if isinstance(value, datetime) else value
