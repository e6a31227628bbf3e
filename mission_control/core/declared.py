"""Classes whose fields are declared in a table: what code names stands in the class, the table adds the rest."""

from collections.abc import Callable, Mapping
from dataclasses import fields, make_dataclass
from enum import Enum
from typing import Any, Final, cast

from pydantic import BaseModel, create_model


class Unset(Enum):
    """The value of a field that was not sent."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def sent[Value](value: Value | Unset, otherwise: Value) -> Value:
    """Return a value that was sent, else another one."""
    return otherwise if isinstance(value, Unset) else value


def completed[Model: BaseModel](declared: Mapping[str, Any]) -> Callable[[type[Model]], type[Model]]:
    """Add fields of a table to a pydantic model: by name, their type and default as `create_model` takes them.

    A field that the model's body names, so that type checkers know it, is declared by the table all the same.
    """

    def complete(model: type[Model]) -> type[Model]:
        fields = dict(declared)
        return create_model(
            model.__name__, __base__=model, __doc__=model.__doc__, __module__=model.__module__, **fields
        )

    return complete


def completed_row[Row](declared: Mapping[str, Any]) -> Callable[[type[Row]], type[Row]]:
    """Add columns of a table to a dataclass for `select`: by name, their type. Those that it names come first."""

    def complete(row: type[Row]) -> type[Row]:
        known = {one.name for one in fields(cast(Any, row))}
        more = [(name, kind) for name, kind in declared.items() if name not in known]
        made = make_dataclass(row.__name__, more, bases=(row,), slots=True, module=row.__module__)
        made.__doc__ = row.__doc__
        return cast(type[Row], made)

    return complete
