"""Read a SQLite file for PostgreSQL: every table of the models in its own order of keys, each value in its type."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import orjson
from asyncpg.pgproto.pgproto import UUID
from tortoise import Tortoise, fields
from tortoise.models import Model

from mission_control.core.settings import ConfigError
from mission_control.core.times import naive_utc
from mission_control.core.values import is_storable
from mission_control.database.records import UtcDatetimeField, is_sealed
from mission_control.database.setup import APP
from mission_control.database.sql import each

# A batch has so many rows at most, and ends with the row that makes it so many bytes.
BATCH_ROWS, BATCH_BYTES = 5_000, 8 * 2**20
# PostgreSQL indexes no more than 2,704 bytes of a row, ids beside the text among them.
LONGEST_INDEXED = 2_600
INDEXED_PART = re.compile(r"\((.*)\)\s*(?:WHERE\b.*)?$", re.DOTALL | re.IGNORECASE)

# Makes the values of PostgreSQL of a column's; ValueError or TypeError when there is none for one of them.
type Convert = Callable[[Sequence[object]], Sequence[object]]
type Rows = list[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and how its values become those of PostgreSQL."""

    name: str
    convert: Convert
    is_text: bool
    is_json: bool
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the models: its columns, and the one by which its rows are ordered."""

    name: str
    key: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def has_text_key(self) -> bool:
        return self.columns[self.key_index].is_text

    @property
    def key_index(self) -> int:
        return self.names.index(self.key)


@dataclass(frozen=True, slots=True)
class Fault:
    table: str
    key: object
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.table}, {self.key}: {self.column} {self.reason}"


def tables() -> list[Table]:
    models = {model._meta.db_table: model for model in Tortoise.apps[APP].values()}
    order = TopologicalSorter({name: _referred(model) - {name} for name, model in models.items()})
    return [_table(models[name]) for name in order.static_order()]


def _referred(model: type[Model]) -> set[str]:
    links: list[Any] = [model._meta.fields_map[name] for name in model._meta.fk_fields | model._meta.o2o_fields]
    return {link.related_model._meta.db_table for link in links}


def _table(model: type[Model]) -> Table:
    meta = model._meta
    columns = [_column(column, meta.fields_map[name]) for name, column in meta.fields_db_projection.items()]
    return Table(meta.db_table, meta.db_pk_column, tuple(columns))


def _column(name: str, field: Any) -> Column:
    is_text = isinstance(field, fields.CharField | fields.TextField)
    return Column(name, _converter(field), is_text, isinstance(field, fields.JSONField), is_sealed(field))


def _converter(field: object) -> Convert:
    match field:
        case fields.UUIDField():
            return each(UUID)  # asyncpg's, which reads a text seven times as fast as Python's
        case UtcDatetimeField():
            return each(_moment)
        case fields.BooleanField():
            return _booleans
        case fields.JSONField():
            return each(_json)
        case fields.CharField():
            return partial(_texts, field.max_length)
        case fields.TextField():
            return partial(_texts, None)
        case fields.FloatField():
            return partial(_unchanged, {int, float})
        case fields.BinaryField():
            return partial(_unchanged, {bytes})
        case fields.IntField() | fields.BigIntField() | fields.SmallIntField():
            return partial(_integers, field.constraints["ge"], field.constraints["le"])
    raise RuntimeError(f"Nothing says how a {type(field).__name__} is moved.")


def _moment(value: str) -> datetime:
    return naive_utc(datetime.fromisoformat(value))


def _json(value: object) -> str:
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    if not is_storable(orjson.loads(value)):
        raise ValueError("holds a NUL character or a number that is too large")
    return value


def _booleans(values: Sequence[object]) -> Sequence[object]:
    if not {*values} <= {0, 1, None}:
        raise ValueError("is neither true nor false")
    return [None if value is None else bool(value) for value in values]


def _texts(longest: int | None, values: Sequence[object]) -> Sequence[object]:
    present = _of_kinds({str}, values)
    if "\x00" in "".join(present):
        raise ValueError("holds a NUL character")
    if longest is not None and max(map(len, present), default=0) > longest:
        raise ValueError(f"is longer than {longest} characters")
    return values


def _integers(least: int, most: int, values: Sequence[object]) -> Sequence[object]:
    present = _of_kinds({int}, values)
    if present and not least <= min(present) <= max(present) <= most:
        raise ValueError(f"is not from {least} to {most}")
    return values


def _unchanged(kinds: set[type], values: Sequence[object]) -> Sequence[object]:
    _of_kinds(kinds, values)
    return values


def _of_kinds(kinds: set[type], values: Sequence[object]) -> list[Any]:
    present = [value for value in values if value is not None]
    if others := {*map(type, present)} - kinds:
        raise ValueError(f"is a value of SQLite's kind {others.pop().__name__}")
    return present


class Source:
    """A SQLite file, only read, as it is at one moment; when it `is_alone`, nobody else writes before it is closed."""

    def __init__(self, file: Path, *, is_alone: bool) -> None:
        self.file = file
        try:
            self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=5)
            if is_alone:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.execute("BEGIN IMMEDIATE" if is_alone else "BEGIN")
            self._connection.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            raise ConfigError(f"{file} cannot be read: {error}") from error
        seen = file.stat()
        self.state = f"{seen.st_size} {seen.st_mtime_ns}"  # another one when something was written since

    def close(self) -> None:
        self._connection.close()

    def count(self, table: Table) -> int:
        [number] = self._connection.execute(f'SELECT COUNT(*) FROM "{table.name}" NOT INDEXED').fetchone()
        return int(number)

    def setting(self, name: str) -> str | None:
        row = self._connection.execute("SELECT value FROM instance_settings WHERE name = ?", [name]).fetchone()
        return row[0] if row else None

    def batches(self, table: Table, after: str | None = None) -> Iterator[Rows]:
        """Yield the rows behind a key, in the order of keys. ConfigError for a value that cannot be moved."""
        for batch in self._read(table, after):
            try:
                yield _converted(table, batch)
            except (ValueError, TypeError):
                raise ConfigError([str(fault) for fault in _faults(table, batch)]) from None

    def faults(self, table: Table, checked: Callable[[int], None]) -> Iterator[Fault]:
        """Yield everything in a table that PostgreSQL would not take; `checked` is told of rows that were looked at."""
        indexed, count = self._indexed_texts(table), 0
        for batch in self._read(table, None):
            count += len(batch)
            checked(len(batch))
            try:
                rows = _converted(table, batch)
            except (ValueError, TypeError):
                yield from _faults(table, batch)
                continue
            for at in indexed:
                reason = f"is longer than {LONGEST_INDEXED} bytes, too long for PostgreSQL's index"
                yield from (
                    Fault(table.name, row[table.key_index], table.names[at], reason)
                    for row in rows
                    if isinstance(text := row[at], str) and len(text) > LONGEST_INDEXED // 4
                    if len(text.encode()) > LONGEST_INDEXED
                )
        if count != (expected := self.count(table)):
            reason = f"finds {count} of {expected} rows: the index is damaged; run `REINDEX` in the sqlite3 shell"
            yield Fault(table.name, "all rows", table.key, reason)

    def broken_references(self) -> Iterator[Fault]:
        """Yield rows that refer to one that is not there, which SQLite allows where foreign keys are off."""
        for table, row, target, _ in self._connection.execute("PRAGMA foreign_key_check"):
            yield Fault(table, f"row {row}", "it", f"refers to a row of {target} that is not there")

    def _read(self, table: Table, after: str | None) -> Iterator[Rows]:
        """Yield batches of rows as SQLite has them."""
        columns = ", ".join(f'"{name}"' for name in table.names)
        where, values = ("", []) if after is None else (f' WHERE "{table.key}" > ?', [after])
        batch: Rows = []
        size = 0
        try:
            cursor = self._connection.execute(
                f'SELECT {columns} FROM "{table.name}"{where} ORDER BY "{table.key}"', values
            )
            for row in cursor:
                batch.append(row)
                size += sum([len(value) for value in row if type(value) in (str, bytes)])
                if len(batch) == BATCH_ROWS or size >= BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
        except sqlite3.Error as error:
            raise ConfigError(f"{self.file}: {table.name} cannot be read: {error}") from error
        if batch:
            yield batch

    def _indexed_texts(self, table: Table) -> list[int]:
        indexed = set()
        listed = "SELECT l.name, m.sql FROM pragma_index_list(?) l JOIN sqlite_master m ON m.name = l.name"
        for name, sql in self._connection.execute(listed, [table.name]).fetchall():
            if sql and (part := INDEXED_PART.search(sql)):
                indexed |= set(re.findall(r"\w+", part[1]))
            else:
                named = self._connection.execute("SELECT name FROM pragma_index_info(?)", [name])
                indexed |= {column for (column,) in named}
        return [at for at, column in enumerate(table.columns) if column.name in indexed and column.is_text]


def _converted(table: Table, batch: Rows) -> Rows:
    """Return rows with PostgreSQL's values, column by column, which is faster."""
    values = zip(*batch, strict=True)
    converted = [column.convert(cells) for column, cells in zip(table.columns, values, strict=True)]
    return list(zip(*converted, strict=True))


def _faults(table: Table, batch: Rows) -> Iterator[Fault]:
    for row in batch:
        for column, value in zip(table.columns, row, strict=True):
            try:
                column.convert([value])
            except (ValueError, TypeError) as error:
                yield Fault(table.name, row[table.key_index], column.name, str(error))
