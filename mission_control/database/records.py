"""Rows of hot paths as instances of their models, and field types that mean the same on both databases."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from tortoise import fields
from tortoise.fields.base import Field
from tortoise.models import Model

from mission_control.core.actor import Scope
from mission_control.core.times import clock_now as now
from mission_control.core.times import naive_utc
from mission_control.core.values import new_id
from mission_control.database.sql import COLUMNS, Column, converted, each, fetch, is_postgres, placeholders


def nullable[T](kind: Callable[..., Field[T]], **options: Any) -> Field[T | None]:
    """Return a field of this kind that may be null, and is known to be."""
    return cast(Field[T | None], kind(null=True, **options))


def reference(model: str, **options: Any) -> Any:
    """Return a foreign key. Rows name what it refers to by its id, `<name>_id`, which the model annotates."""
    return fields.ForeignKeyField(f"models.{model}", related_name=False, **options)


def only_reference(model: str, **options: Any) -> Any:
    """Return a foreign key that one row has at most."""
    return fields.OneToOneField(f"models.{model}", related_name=False, **options)


def json_field(**options: Any) -> Any:
    """Return a field for whatever JSON can hold."""
    return fields.JSONField(**options)


class UtcDatetimeField(fields.DatetimeField[Any]):
    """A moment: naive UTC in the program and in the database; aware input is converted, also in filters.

    Stored as TIMESTAMP without a zone. On SQLite that is ISO text, whose order is the order of time.
    Reading by `fromisoformat` is three times faster than Tortoise's own parser.
    """

    SQL_TYPE = "TIMESTAMP"

    class _db_postgres:  # noqa: N801 - the name Tortoise looks for
        SQL_TYPE = "TIMESTAMP"

    def to_python_value(self, value: Any) -> datetime | None:
        """Read what the database, a caller or a form gave."""
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
        return naive_utc(value) if value.tzinfo else cast(datetime, value)

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        """Convert for writing and for filters."""
        if isinstance(instance, Model):
            is_missing = getattr(instance, self.model_field_name, None) is None
            if self.auto_now or (self.auto_now_add and is_missing):
                value = now()
                setattr(instance, self.model_field_name, value)
        if isinstance(value, str | datetime):
            value = self.to_python_value(value)
        self.validate(value)
        return value


class Identified(Model):
    """A row with an id of its own."""

    id = fields.UUIDField(primary_key=True, default=new_id)

    class Meta:
        abstract = True


class Dated(Identified):
    """A row that says when it was made."""

    created_at = UtcDatetimeField(default=now)

    class Meta:
        abstract = True


class Changing(Dated):
    """A row that says when it changed last, too."""

    updated_at = UtcDatetimeField(default=now)

    class Meta:
        abstract = True


class Asked(Dated):
    """An approval or a question of a board, with its deadline; a gateway may have asked it."""

    # Of what a gateway asks: its id there, and until when it may be answered; the state of our answer, which is
    # `waiting` to be sent, `sent`, or `late`.
    gateway_id = nullable(fields.UUIDField)
    external_id = nullable(fields.TextField)
    expires_at = UtcDatetimeField(null=True)
    answer_state = nullable(fields.CharField, max_length=16)
    # When it should be answered, and what happens otherwise: `remind`, `ask` the person named, or what its kind has
    # besides. After that `decide_by` is null, and `reminded_at` or `asked_user_id` say what happened.
    decide_by = UtcDatetimeField(null=True)
    otherwise = nullable(fields.CharField, max_length=16)
    otherwise_user_id = nullable(fields.UUIDField)
    reminded_at = UtcDatetimeField(null=True)
    asked_user_id = nullable(fields.UUIDField)
    run_id = nullable(fields.UUIDField)

    board: Any
    board_id: UUID

    class Meta:
        abstract = True

    def scope(self) -> Scope:
        """Return the scope of events about it; `board` must be loaded."""
        return Scope(self.board.organization_id, self.board_id, subject_id=self.id)


class Owned(Changing):
    """A row of an organization, whose log has the events about it."""

    organization = reference("Organization")

    organization_id: UUID

    class Meta:
        abstract = True

    def scope(self) -> Scope:
        return Scope(organization_id=self.organization_id, subject_id=self.id)


AT_ONCE = 50  # rows of one INSERT


async def find[M: Model](model: type[M], where: str, *values: Any, lock: bool = False) -> M | None:
    """Return the first row that a condition with `?` placeholders names, or None.

    `lock` holds the row, without its key, until the transaction ends: rows that refer to it can still be written.
    """
    found = await find_all(model, where, *values, lock=lock)
    return found[0] if found else None


async def find_all[M: Model](model: type[M], where: str, *values: Any, lock: bool = False) -> list[M]:
    """Return the rows that a condition names, which may end with ORDER BY and LIMIT; `lock` as in `find`."""
    sql = f"{_selection(model)} WHERE {where}{' FOR NO KEY UPDATE' if lock and is_postgres() else ''}"
    _, found = await fetch(sql, values)
    return _maker(model)(found)


async def insert(*instances: Model) -> None:
    """Write new rows of one table, with the ids that they have."""
    for start in range(0, len(instances), AT_ONCE):
        some = instances[start : start + AT_ONCE]
        columns, to_database = _columns(type(some[0]))
        rows = ", ".join([f"({placeholders(len(columns))})"] * len(some))
        values = [to_db(getattr(one, name), one) for one in some for name, to_db in to_database]
        await fetch(f"INSERT INTO {some[0]._meta.db_table} ({', '.join(columns)}) VALUES {rows}", values)
        for one in some:
            one._saved_in_db = True


async def update(instance: Model, *names: str) -> None:
    meta = instance._meta
    to_database = [meta.fields_map[name].to_db_value(getattr(instance, name), instance) for name in names]
    await fetch(_update(type(instance), names), [*to_database, instance.pk])


@lru_cache(maxsize=200)
def _selection(model: type[Model]) -> str:
    return f"SELECT {', '.join(model._meta.fields_db_projection.values())} FROM {model._meta.db_table}"


@lru_cache(maxsize=500)
def _update(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{model._meta.fields_db_projection[name]} = ?" for name in names)
    return f"UPDATE {model._meta.db_table} SET {columns} WHERE {model._meta.db_pk_column} = ?"


@lru_cache(maxsize=200)
def _columns(model: type[Model]) -> tuple[list[str], list[tuple[str, Callable[[Any, Any], Any]]]]:
    """The columns of a table, and for each the field with its conversion."""
    meta = model._meta
    if meta.pk.generated:
        raise TypeError(f"{model.__name__} gets its id from the database.")
    projection = meta.fields_db_projection
    return list(projection.values()), [(name, meta.fields_map[name].to_db_value) for name in projection]


@lru_cache(maxsize=200)
def _maker(model: type[Model]) -> Callable[[Sequence[Any]], list[Any]]:
    """A function from rows of `_selection` to instances, as `Model._init_from_db` makes them."""
    meta = model._meta
    names = tuple(meta.fields_db_projection)
    conversions = [(index, convert) for index, name in enumerate(names) if (convert := _converter(meta, name))]
    is_own_key = meta.db_pk_column not in meta.generated_db_fields

    def make(found: Sequence[Any]) -> list[Any]:
        made = []
        for values in converted(found, conversions):
            instance = model.__new__(model)
            instance.__dict__.update(zip(names, values, strict=True))
            made_of = {"_partial": False, "_saved_in_db": True, "_custom_generated_pk": is_own_key}
            instance.__dict__.update(made_of, _await_when_save={})
            made.append(instance)
        return made

    return make


def _converter(meta: Any, name: str) -> Column | None:
    field = meta.fields_map[name]
    if isinstance(field, UtcDatetimeField | fields.UUIDField | fields.BooleanField):
        return COLUMNS[field.field_type]
    if isinstance(field, fields.JSONField):
        return COLUMNS[dict]
    if isinstance(
        field, fields.IntField | fields.BigIntField | fields.FloatField | fields.CharField | fields.TextField
    ):
        return None
    return each(field.to_python_value)
