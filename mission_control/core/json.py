"""Values as JSON: UUIDs, models, and every moment as RFC 3339 in UTC, such as `2026-11-26T01:23:55.890864Z`."""

from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

MOMENTS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def to_json(value: Any) -> bytes:
    """Return a value as compact JSON; a naive datetime counts as UTC. TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_plain, option=MOMENTS)


def json_values(value: Any) -> Any:
    """Return what a reader of `to_json` gets: a model as a dict, an id and a moment as text."""
    return orjson.loads(to_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's own subclass, which orjson does not know
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump()  # not in its JSON mode, which writes naive moments without `Z`
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise TypeError(f"{type(value).__name__} is no JSON value") from error
