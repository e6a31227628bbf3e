"""The fields of a resource, declared in one table, and the classes that the table completes.

A class's body names the fields that code reads, so that type checkers know them; the table declares all of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from enum import Enum
from typing import Annotated, Any, Final, cast, get_args, get_origin

from pydantic import BaseModel, Field, create_model

from mission_control.core.values import NotNull

REQUIRED: Any = ...
NOT_SENT: Any = object()


class Unset(Enum):
    """The value of a field that was not sent."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def sent[Value](value: Value | Unset, otherwise: Value) -> Value:
    return otherwise if isinstance(value, Unset) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredField:
    """One field of a resource. Its name is that of its column, where it has one.

    `kind` is its type in rows and answers, `accepts` its type in bodies, where that is narrower. `default` is for new
    resources; NOT_SENT: they cannot be created with it. `meaning` is for the document; without it `vocabulary.txt` is.
    """

    name: str
    kind: Any
    accepts: Any = None
    default: Any = NOT_SENT
    is_column: bool = True
    is_answered: bool = True
    answer_default: Any = REQUIRED
    meaning: str = ""

    @property
    def body_kind(self) -> Any:
        return self._meant(self.kind if self.accepts is None else self.accepts)

    @property
    def answer_kind(self) -> Any:
        return self._meant(self.kind)

    def _meant(self, kind: object) -> Any:
        return Annotated[kind, Field(description=self.meaning)] if self.meaning else kind

    @property
    def is_nullable(self) -> bool:
        return type(None) in get_args(self.kind)


def created(declared: Iterable[DeclaredField]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for row in declared:
        if row.default is not NOT_SENT:
            is_mutable = isinstance(row.default, list | dict)
            fields[row.name] = row.body_kind, Field(default_factory=type(row.default)) if is_mutable else row.default
    return fields


def changed(declared: Iterable[DeclaredField]) -> dict[str, Any]:
    """Return fields that change a resource: none has to be sent, and null is refused where it is no value."""
    return {row.name: (_changed_kind(row), None) for row in declared}


def _changed_kind(row: DeclaredField) -> Any:
    if row.is_column and not row.is_nullable:
        return Annotated[row.body_kind | None, NotNull]
    plain = get_args(row.body_kind)[0] if get_origin(row.body_kind) is Annotated else row.body_kind
    return row.body_kind if type(None) in get_args(plain) else row.body_kind | None


def answered(declared: Iterable[DeclaredField]) -> dict[str, object]:
    return {row.name: (row.answer_kind, row.answer_default) for row in declared if row.is_answered}


def completed[Model: BaseModel](declared: Mapping[str, Any]) -> Callable[[type[Model]], type[Model]]:
    """Add fields of a table to a pydantic model: by name, their type and default as `create_model` takes them."""

    def complete(model: type[Model]) -> type[Model]:
        more = dict(declared)
        return create_model(model.__name__, __base__=model, __doc__=model.__doc__, __module__=model.__module__, **more)

    return complete


def completed_row[Row](declared: Mapping[str, object]) -> Callable[[type[Row]], type[Row]]:
    """Add columns of a table to a dataclass for `select`: by name, their type. Those that it names come first.

    After a field with a default they are None until they are read.
    """

    def complete(row: type[Row]) -> type[Row]:
        of_row: Any = row
        columns = {column.name: column for column in fields(of_row)}
        more: list[Any] = [(name, kind) for name, kind in declared.items() if name not in columns]
        if any(column.default is not MISSING for column in columns.values()):
            more = [(*column, field(default=None)) for column in more]
        hashed = of_row.__dataclass_params__.unsafe_hash
        made = make_dataclass(row.__name__, more, bases=(row,), slots=True, unsafe_hash=hashed, module=row.__module__)
        made.__doc__ = row.__doc__
        return cast(type[Row], made)

    return complete
