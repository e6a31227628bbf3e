"""Rows of hot paths as instances of their models, and field types that mean the same on both databases."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import batched
from typing import Any, cast
from uuid import UUID

from tortoise import fields
from tortoise.fields.base import Field
from tortoise.models import Model, ModelMeta

from mission_control.core.actor import Scope
from mission_control.core.time_slices import MOST, in_turns
from mission_control.core.times import clock_now as now
from mission_control.core.times import naive_utc
from mission_control.core.values import new_id
from mission_control.database.sql import as_id, as_json, as_moment, fetch, in_list, is_postgres, placeholders


def nullable[T](kind: Callable[..., Field[T]], **options: object) -> Field[T | None]:
    return cast(Field[T | None], kind(null=True, **options))


def reference(model: str, **options: Any) -> Any:
    return fields.ForeignKeyField(f"models.{model}", related_name=False, **options)


def only_reference(model: str, **options: Any) -> Any:
    return fields.OneToOneField(f"models.{model}", related_name=False, **options)


def json_field(**options: Any) -> Any:
    return fields.JSONField(**options)


def sealed[F: Field[Any]](field: F) -> F:
    """Mark a text field whose values are encrypted with SECRET_KEY."""
    vars(field)["is_sealed"] = True
    return field


def is_sealed(field: Field[Any]) -> bool:
    return "is_sealed" in vars(field)


class UtcDatetimeField(fields.DatetimeField[Any]):
    """A moment: naive UTC in the program and in the database; aware input is converted, also in filters.

    Stored as TIMESTAMP without a zone. On SQLite that is ISO text, whose order is the order of time.
    Reading by `fromisoformat` is three times faster than Tortoise's own parser.
    """

    SQL_TYPE = "TIMESTAMP"

    class _db_postgres:  # noqa: N801 - the name Tortoise looks for
        SQL_TYPE = "TIMESTAMP"

    def to_python_value(self, value: Any) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
        return naive_utc(value) if value.tzinfo else cast(datetime, value)

    def to_db_value(self, value: object, instance: type[Model] | Model) -> Any:
        if isinstance(instance, Model):
            is_missing = getattr(instance, self.model_field_name, None) is None
            if self.auto_now or (self.auto_now_add and is_missing):
                value = now()
                setattr(instance, self.model_field_name, value)
        if isinstance(value, str | datetime):
            value = self.to_python_value(value)
        self.validate(value)
        return value


class WithoutComments(ModelMeta):
    """Keeps Tortoise from reading the source of each model for comments on its columns (30 ms of a start)."""

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **_: object) -> dict[str, object]:
        return {"_no_comments": True}


class Record(Model, metaclass=WithoutComments):
    """A row of any table."""

    class Meta:
        abstract = True

    def __init__(self, **values: object) -> None:
        """Do what Tortoise does, which takes ten times as long: it looks at each field with its whole machinery."""
        defaults, made, kinds = _blank(type(self), self._meta._inited)
        state = self.__dict__
        state.update(defaults, _await_when_save={})
        for name, make in made:
            if name not in values:
                state[name] = make()
        others = {}
        for name, value in values.items():
            if isinstance(value, kinds.get(name, ())):
                state[name] = value
            else:
                others[name] = value
        self._set_kwargs(others)


class Identified(Record):
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
    # besides. After that `decide_by` is null, and `reminded_at` or a row of `asked_people` says what happened.
    decide_by = UtcDatetimeField(null=True)
    otherwise = nullable(fields.CharField, max_length=16)
    otherwise_user_id = nullable(fields.UUIDField)
    reminded_at = UtcDatetimeField(null=True)
    # How many steps of its board's escalation were taken, and since when it waits for the next one, if not at first.
    escalated = fields.IntField(default=0)
    escalated_at = UtcDatetimeField(null=True)
    run_id = nullable(fields.UUIDField)

    board: Any
    board_id: UUID

    class Meta:
        abstract = True

    def scope(self) -> Scope:
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
MOST_NAMED = 500  # rows that one UPDATE or DELETE names


async def find[M: Model](model: type[M], where: str, *values: object, lock: bool = False) -> M | None:
    """Return the first row that a condition with `?` placeholders names, or None.

    `lock` holds the row, without its key, until the transaction ends: rows that refer to it can still be written.
    """
    instances = await find_all(model, where, *values, lock=lock)
    return instances[0] if instances else None


async def find_all[M: Model](model: type[M], where: str, *values: object, lock: bool = False) -> list[M]:
    """Return the rows that a condition names, which may end with ORDER BY and LIMIT; `lock` as in `find`."""
    sql = f"{_selection(model)} WHERE {where}{' FOR NO KEY UPDATE' if lock and is_postgres() else ''}"
    _, records = await fetch(sql, values)
    make = _maker(model)
    if len(records) <= MOST:
        return make(records)
    return [instance async for some in in_turns(records) for instance in make(some)]


async def find_both[M: Model, P: Model](
    model: type[M], parent: type[P], on: str, where: str, *values: object
) -> tuple[M, P] | None:
    """Return the first row `t` that a condition names with the row `p` of `parent` that its column `on` names."""
    _, records = await fetch(f"{_selection_of_both(model, parent, on)} WHERE {where}", values)
    if not records:
        return None
    count, row = len(model._meta.fields_db_projection), records[0]
    return _maker(model)([row[:count]])[0], _maker(parent)([row[count:]])[0]


async def insert(*instances: Model) -> None:
    for start in range(0, len(instances), AT_ONCE):
        some = instances[start : start + AT_ONCE]
        await fetch(_insert(type(some[0]), len(some)), _values(some))
        for instance in some:
            instance._saved_in_db = True


async def insert_new[M: Model](instances: Sequence[M]) -> list[M]:
    """Write those rows of one table that violate no unique index, and return them."""
    stored: set[UUID | None] = set()
    for start in range(0, len(instances), AT_ONCE):
        some = instances[start : start + AT_ONCE]
        sql = f"{_insert(type(some[0]), len(some))} ON CONFLICT DO NOTHING RETURNING id"
        stored |= {as_id(row[0]) for row in (await fetch(sql, _values(some)))[1]}
    return [instance for instance in instances if instance.pk in stored]


def _values(instances: Sequence[Model]) -> list[object]:
    to_database = _to_database(type(instances[0]))
    return [convert(getattr(row, name), row) for row in instances for name, convert in to_database.items()]


async def update(instance: Model, *names: str) -> None:
    to_database = _to_database(type(instance))
    values = [to_database[name](getattr(instance, name), instance) for name in names]
    await fetch(_update(type(instance), names), [*values, instance.pk])


async def update_all(instances: Sequence[Model], *names: str) -> None:
    """Write columns of rows of one table, in one statement for all that get the same values."""
    alike: dict[tuple[object, ...], list[Model]] = {}
    for instance in instances:
        to_database = _to_database(type(instance))
        values = tuple(to_database[name](getattr(instance, name), instance) for name in names)
        alike.setdefault(values, []).append(instance)
    for values, equal in alike.items():
        columns = ", ".join(f"{type(equal[0])._meta.fields_db_projection[name]} = ?" for name in names)
        await _with_all(f"UPDATE {{}} SET {columns}", values, equal)


async def delete_all(instances: Sequence[Model]) -> None:
    await _with_all("DELETE FROM {}", (), instances)


async def _with_all(sql: str, values: Sequence[object], instances: Sequence[Model]) -> None:
    for some in batched(instances, MOST_NAMED, strict=False):
        meta, (listed, ids) = some[0]._meta, in_list([instance.pk for instance in some])
        await fetch(f"{sql.format(meta.db_table)} WHERE {meta.db_pk_column} IN ({listed})", [*values, *ids])


@lru_cache(maxsize=200)
def _selection(model: type[Model]) -> str:
    return f"SELECT {', '.join(model._meta.fields_db_projection.values())} FROM {model._meta.db_table}"


@lru_cache(maxsize=200)
def _selection_of_both(model: type[Model], parent: type[Model], on: str) -> str:
    names = [f"t.{name}" for name in model._meta.fields_db_projection.values()]
    names += [f"p.{name}" for name in parent._meta.fields_db_projection.values()]
    tables = f"{model._meta.db_table} t JOIN {parent._meta.db_table} p ON p.{parent._meta.db_pk_column} = t.{on}"
    return f"SELECT {', '.join(names)} FROM {tables}"


@lru_cache(maxsize=500)
def _update(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(f"{model._meta.fields_db_projection[name]} = ?" for name in names)
    return f"UPDATE {model._meta.db_table} SET {columns} WHERE {model._meta.db_pk_column} = ?"


@lru_cache(maxsize=500)
def _insert(model: type[Model], count: int) -> str:
    meta = model._meta
    if meta.pk.generated:
        raise TypeError(f"{model.__name__} gets its id from the database.")
    columns = meta.fields_db_projection.values()
    rows = ", ".join([f"({placeholders(len(columns))})"] * count)
    return f"INSERT INTO {meta.db_table} ({', '.join(columns)}) VALUES {rows}"


@lru_cache(maxsize=200)
def _to_database(model: type[Model]) -> dict[str, Callable[[Any, Model], object]]:
    """For each column, by its field's name, what makes a value of it for the database."""
    return {name: _stored(model._meta.fields_map[name]) for name in model._meta.fields_db_projection}


def _stored(field: Field[Any]) -> Callable[[Any, Model], object]:
    kind, convert = _kind(field), field.to_db_value
    if kind is None or field.validators:
        return convert
    return lambda value, row: value if value is None or isinstance(value, kind) else convert(value, row)


PLAIN: tuple[type[Field[Any]], ...] = (
    *(fields.UUIDField, fields.TextField, fields.CharField),
    *(fields.IntField, fields.BigIntField, fields.FloatField, fields.BooleanField),
)


def _kind(field: Field[Any]) -> type | None:
    """Return the type of values that a field takes and stores as they are, None where it looks at them."""
    return field.field_type if isinstance(field, PLAIN) else None


@lru_cache(maxsize=200)
def _blank(
    model: type[Model], is_whole: bool
) -> tuple[dict[str, object], list[tuple[str, Callable[[], object]]], dict[str, tuple[type, ...]]]:
    """Return what every new row has, what is made for each, and by field the types of values that stay as they are.

    `is_whole`: Tortoise has given the model the columns of its references, which it does when the database is opened.
    """
    meta = model._meta
    state: dict[str, object] = {"_partial": False, "_saved_in_db": False, "_custom_generated_pk": False}
    made: list[tuple[str, Callable[[], object]]] = []
    kinds: dict[str, tuple[type, ...]] = {}
    for name in meta.fields_db_projection:
        field = meta.fields_map[name]
        if callable(field.default):
            made.append((name, field.default))
        else:
            state[name] = field.default
        nothing = (type(None),) if field.null else ()
        kinds[name] = nothing if (kind := _kind(field)) is None else (kind, *nothing)
    return state, made, kinds


@lru_cache(maxsize=200)
def _maker(model: type[Model]) -> Callable[[Sequence[Sequence[object]]], list[Any]]:
    """A function from rows of `_selection` to instances, as `Model._init_from_db` makes them."""
    meta = model._meta
    names = tuple(meta.fields_db_projection)
    conversions = [(name, convert) for name in names if (convert := _converter(meta.fields_map[name]))]
    is_own_key = meta.db_pk_column not in meta.generated_db_fields

    def make(records: Sequence[Sequence[object]]) -> list[Any]:
        made = []
        for values in records:
            instance = model.__new__(model)
            state = instance.__dict__
            state.update(zip(names, values, strict=True))
            for name, convert in conversions:
                if (value := state[name]) is not None:
                    state[name] = convert(value)
            state.update(_partial=False, _saved_in_db=True, _custom_generated_pk=is_own_key, _await_when_save={})
            made.append(instance)
        return made

    return make


def _converter(field: Field[Any]) -> Callable[[Any], object] | None:
    """Return what makes a field's value of a column's, None where that is the same."""
    if type(field) in VALUES:
        return VALUES[type(field)]
    if isinstance(field, fields.JSONField):
        return as_json
    return None if _kind(field) is not None else field.to_python_value


VALUES: dict[type, Callable[[Any], object]] = {
    fields.UUIDField: as_id,
    UtcDatetimeField: as_moment,
    fields.BooleanField: bool,
}
