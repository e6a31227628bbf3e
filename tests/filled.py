"""Rows in every table of a SQLite file, made of nothing but the models: full, sparse, at the edges of types."""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from tortoise import Tortoise, fields

from mission_control.core.values import new_id
from mission_control.database.records import UtcDatetimeField
from mission_control.database.setup import APP

# The logs, and what belongs to them, are written by commands: nothing else can chain and sign them.
WRITTEN_BY_COMMANDS = {"organizations", "events", "account_events", "instance_settings"}
ROWS = 3
ODD = "«Ω» 'a' \"b\" \\ \t\r\n e\u0301 \u2028 \U0001f600 %s {{}} \ufffd \x01"
MOMENTS = ("2026-03-29 01:59:59.999999", "0001-01-01 00:00:00", "9999-12-31 23:59:59.000001")
JSONS: tuple[Any, ...] = (
    {"z": 1, "a": [1.5, 1e300, -0.0, 2**63 - 1, None, True, ODD], "": {}, "A": {"b": []}}, 5, "text",
)  # fmt: skip
FLOATS = (0.1, -1e308, 3)
# What conditions of tables ask for beside their lists of words.
FITTING: dict[str, Any] = {
    "approvals.confidence": 99.5,
    "approvals.resolved_at": None,
    "boards.max_agents": 3,
    "budgets.agent_id": None,
    "skill_packs.source_url": lambda row: f"https://github.com/observatory/{row}",
    "tags.color": "a0b1c2",
    "task_dependencies.depends_on_task_id": lambda row: other("tasks", row),
    "task_runs.ended_at": None,
    "tasks.archived_at": None,
    "tasks.assigned_user_id": None,
    "tokens.user_id": None,
    "gateways.same_as_id": lambda row: other("gateways", row),
}
_ids: dict[tuple[str, int], str] = {}


def other(table: str, row: int) -> str:
    return _key(table, (row + 1) % ROWS)


def _key(table: str, row: int) -> str:
    return _ids.setdefault((table, row), str(new_id()))


def fill(file: Path, tables: Iterable[str]) -> None:
    """Add rows to these tables, which refer to each other, or to the first row of a table that commands write."""
    models = {one._meta.db_table: one._meta for one in Tortoise.apps[APP].values()}
    with closing(sqlite3.connect(file)) as opened, opened:
        for name in WRITTEN_BY_COMMANDS - {"instance_settings"}:
            for row in range(ROWS):
                _ids[name, row] = opened.execute(f"SELECT id FROM {name} LIMIT 1").fetchone()[0]
        for name in tables:
            if name not in WRITTEN_BY_COMMANDS:
                [[sql]] = opened.execute("SELECT sql FROM sqlite_master WHERE name = ?", [name])
                words = dict(re.findall(r'"(\w+)" IN \(\'(\w+)\'', sql))
                for row in range(_count(models[name])):
                    _insert(opened, models[name], words, row)
        assert opened.execute("PRAGMA foreign_key_check").fetchall() == []


def _count(meta: Any) -> int:
    """How many rows a table gets: one where its key is that of an organization, of which there is one."""
    link = meta.fields_map[meta.fields_db_projection_reverse[meta.db_pk_column]].reference
    return 1 if link is not None and link.related_model._meta.db_table in WRITTEN_BY_COMMANDS else ROWS


def _insert(opened: sqlite3.Connection, meta: Any, words: dict[str, str], row: int) -> None:
    values = {}
    for name, column in meta.fields_db_projection.items():
        field = meta.fields_map[name]
        fitting = FITTING.get(f"{meta.db_table}.{column}", ...)
        if fitting is not ...:
            values[column] = fitting(row) if callable(fitting) else fitting
        elif row == 1 and field.null and column != "agent_id":
            values[column] = None
        elif field.reference is not None:
            values[column] = _key(field.reference.related_model._meta.db_table, row)
        elif column == meta.db_pk_column and isinstance(field, fields.UUIDField):
            values[column] = _key(meta.db_table, row)
        else:
            values[column] = words.get(column) or _value(field, row)
    marks = ", ".join("?" * len(values))
    opened.execute(f'INSERT INTO "{meta.db_table}" ({", ".join(values)}) VALUES ({marks})', [*values.values()])


def _value(field: Any, row: int) -> Any:
    match field:
        case fields.UUIDField():
            return str(UUID(int=row))
        case UtcDatetimeField():
            return MOMENTS[row]
        case fields.BooleanField():
            return row % 2
        case fields.JSONField():
            return orjson.dumps(JSONS[row]).decode()
        case fields.CharField():
            return f"{row} {ODD}"[: field.max_length]
        case fields.TextField():
            return f"{row} {ODD * 10}"
        case fields.FloatField():
            return FLOATS[row]
        case fields.BinaryField():
            return bytes(range(256)) * (row + 1)
    return field.constraints["le"] - row
