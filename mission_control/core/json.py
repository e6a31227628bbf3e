"""Values as compact JSON: naive UTC datetimes, UUIDs, models."""

from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel


def to_json(value: Any) -> bytes:
    """Compact JSON; TypeError for what is no value."""
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's own subclass, which orjson does not know
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON value")
