"""Values as JSON: UUIDs, models, and every moment as RFC 3339 in UTC, such as `2026-11-26T01:23:55.890864Z`."""

import asyncio
import time
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

type JsonObject = dict[str, Any]
ENTRIES_AT_ONCE = 4
TURN_SECONDS = 0.005
MOMENTS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def to_json(value: Any) -> bytes:
    """Return a value as compact JSON; a naive datetime counts as UTC. TypeError for what JSON cannot hold."""
    return orjson.dumps(value, default=_plain, option=MOMENTS)


async def json_in_turns(value: Any) -> list[bytes]:
    """Return the same as `to_json`, in pieces; between the entries of long lists everybody else has a turn."""
    if not (isinstance(value, dict) and any(_is_long(one) for one in value.values())):
        return await _member(value)
    pieces = [b"{"]
    for name, one in value.items():
        pieces += [to_json(name) + b":", *await _member(one), b","]
    return [*pieces[:-1], b"}"]


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > ENTRIES_AT_ONCE


async def _member(value: Any) -> list[bytes]:
    if not _is_long(value):
        return [to_json(value)]
    pieces, began = [b"["], time.perf_counter()
    for start in range(0, len(value), ENTRIES_AT_ONCE):
        pieces += [to_json(value[start : start + ENTRIES_AT_ONCE])[1:-1], b","]
        if time.perf_counter() - began > TURN_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return [*pieces[:-1], b"]"]


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
