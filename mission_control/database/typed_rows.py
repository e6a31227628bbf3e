"""Turn rows of either database into instances of a dataclass."""

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import orjson
from asyncpg.pgproto import pgproto

from mission_control.core.clock import naive_utc

type Convert = Callable[[Any], Any]
type Make = Callable[[Iterable[Sequence[Any]]], list[Any]]


def instances[Row](row: type[Row], columns: tuple[str, ...], found: Sequence[Sequence[Any]]) -> list[Row]:
    """Return rows of these columns as instances of a dataclass, converted by its annotations.

    A column without a field, or a field without a column or default: TypeError.
    """
    return _maker(cast(Any, row), columns)(found) if found else []


@lru_cache(maxsize=1024)
def _maker(row: type[Any], columns: tuple[str, ...]) -> Make:
    _refuse_other_names(row, columns)
    kinds = typing.get_type_hints(row)
    conversions = [(index, convert) for index, name in enumerate(columns) if (convert := _converter(kinds[name]))]
    is_in_order = columns == tuple(one.name for one in fields(row))[: len(columns)]

    def make(found: Iterable[Sequence[Any]]) -> list[Any]:
        made = []
        for one in found:
            values = list(one)
            for index, convert in conversions:
                if values[index] is not None:
                    values[index] = convert(values[index])
            made.append(row(*values) if is_in_order else row(**dict(zip(columns, values, strict=True))))
        return made

    return make


def _refuse_other_names(row: type[Any], columns: tuple[str, ...]) -> None:
    known = {one.name: one.default is MISSING and one.default_factory is MISSING for one in fields(row)}
    unknown = [name for name in columns if name not in known]
    missing = [name for name, is_required in known.items() if is_required and name not in columns]
    if unknown or missing or len(set(columns)) < len(columns):
        raise TypeError(f"{row.__name__} does not fit the columns {', '.join(columns)}")


def _converter(kind: Any) -> Convert | None:
    """The conversion of a column's value to an annotation; None when the databases give it as it is."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        [kind] = [one for one in typing.get_args(kind) if one is not types.NoneType]
    return CONVERTERS.get(typing.get_origin(kind) or kind)


def _id(value: Any) -> UUID:
    # asyncpg's UUID, which PostgreSQL's rows hold anyway, reads a text seven times as fast as Python's.
    return value if isinstance(value, UUID) else pgproto.UUID(value)


def _moment(value: Any) -> datetime:
    moment: datetime = datetime.fromisoformat(value) if type(value) is str else value
    return moment if moment.tzinfo is None else naive_utc(moment)


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _text(value: Any) -> str:
    return value if type(value) is str else str(value)


CONVERTERS: dict[Any, Convert] = {
    UUID: _id,
    datetime: _moment,
    bool: bool,
    int: int,
    float: float,
    str: _text,
    dict: _json,
    list: _json,
}
