"""The tables of the database under test: as the models describe them, and as its own catalog does."""

from typing import Any

from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.models import Model

from mission_control.database.sql import is_postgres, rows


def models() -> list[type[Model]]:
    return [one for one in Tortoise.apps["models"].values() if one._meta.db_table != "aerich"]


def linked(model: type[Model]) -> set[str]:
    return model._meta.fk_fields | model._meta.o2o_fields


def types(model: type[Model]) -> dict[str, tuple[str, bool]]:
    """Return each column's type and whether it may be null, as the model says for this database."""
    dialect = get_connection("default").capabilities.dialect
    found = {}
    for name, column in model._meta.fields_db_projection.items():
        field: Any = model._meta.fields_map[name]
        related = field.reference.to_field_instance if field.reference is not None else field
        found[column] = (_spelled(related.get_for_dialect(dialect, "SQL_TYPE")), field.null)
    return found


def _spelled(kind: str) -> str:
    words = {"BOOL": "boolean", "INT": "integer", "TIMESTAMP": "timestamp without time zone", "JSONB": "jsonb"}
    if not is_postgres():
        return kind
    return words.get(kind, kind.lower().replace("varchar", "character varying"))


async def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Return each column's type and whether it may be null, as the database has it."""
    if is_postgres():
        found = await rows(
            "SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required"
            " FROM pg_attribute a WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped",
            table,
        )
    else:
        found = await rows(f"SELECT name, type, \"notnull\" AS required FROM pragma_table_info('{table}')")
    return {row["name"]: (row["type"], not row["required"]) for row in found}


async def foreign_keys(table: str) -> set[tuple[str, str, str]]:
    """Return each foreign key's column, its target table and what happens on delete."""
    if not is_postgres():
        found = await rows(
            f'SELECT "from" AS column, "table" AS target, on_delete FROM pragma_foreign_key_list(\'{table}\')'
        )
        return {(row["column"], row["target"], row["on_delete"]) for row in found}
    words = {"c": "CASCADE", "n": "SET NULL", "a": "NO ACTION", "r": "RESTRICT"}
    found = await rows(
        "SELECT a.attname AS column, t.relname AS target, c.confdeltype::text AS on_delete FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)"
        " JOIN pg_class t ON t.oid = c.confrelid WHERE c.contype = 'f' AND c.conrelid = to_regclass(?)",
        table,
    )
    return {(row["column"], row["target"], words[row["on_delete"]]) for row in found}


async def unique_sets(table: str) -> set[tuple[str, ...]]:
    """Return the columns of every plain unique constraint or index, the primary key included."""
    if is_postgres():
        found = await rows(
            "SELECT (SELECT string_agg(a.attname, ',' ORDER BY array_position(i.indkey::int[], a.attnum::int))"
            " FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) AS names FROM pg_index i"
            " WHERE i.indrelid = to_regclass(?) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL",
            table,
        )
        return {tuple(row["names"].split(",")) for row in found}
    sets = set()
    for index in await rows(f"SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" AND NOT partial"):
        parts = await rows(f"SELECT name FROM pragma_index_info('{index['name']}') ORDER BY seqno")
        if all(part["name"] for part in parts):
            sets.add(tuple(part["name"] for part in parts))
    return sets


async def indexes(table: str) -> dict[str, tuple[str, ...]]:
    """Return the columns of every index that is neither unique nor partial, by name."""
    if is_postgres():
        found = await rows(
            "SELECT c.relname AS name,"
            " (SELECT string_agg(a.attname, ',' ORDER BY array_position(i.indkey::int[], a.attnum::int))"
            " FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) AS names"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = to_regclass(?) AND NOT i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL",
            table,
        )
        return {row["name"]: tuple(row["names"].split(",")) for row in found}
    made = {}
    for index in await rows(f"SELECT name FROM pragma_index_list('{table}') WHERE NOT \"unique\" AND NOT partial"):
        parts = await rows(f"SELECT name FROM pragma_index_info('{index['name']}') ORDER BY seqno")
        made[index["name"]] = tuple(str(part["name"]) for part in parts)
    return made


async def first_columns(table: str) -> set[str]:
    """Return the first column of every index of a table."""
    if is_postgres():
        found = await rows(
            "SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
            " AND a.attnum = i.indkey[0] WHERE i.indrelid = to_regclass(?)",
            table,
        )
    else:
        found = await rows(
            f"SELECT c.name FROM pragma_index_list('{table}') l JOIN pragma_index_info(l.name) c ON c.seqno = 0"
        )
    return {row["name"] for row in found}
