"""JSON of long lists, written in turns."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from mission_control.core import values
from mission_control.core.values import json_in_turns, to_json

ENTRY = {"id": UUID(int=1), "at": datetime(2026, 11, 28), "text": 'é"'}


@pytest.mark.parametrize("count", [0, 1, 16, 17, 32, 33])
@pytest.mark.parametrize("shape", [lambda many: many, lambda many: {"items": many, "é": 1, "few": [1]}])
async def test_json_in_turns_is_the_same_json(count: int, shape: Any) -> None:
    value = shape([ENTRY] * count)
    assert b"".join(await json_in_turns(value)) == to_json(value)


async def test_others_go_on_while_a_long_list_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "TURN_SECONDS", -1.0)
    writing = asyncio.create_task(json_in_turns({"items": [ENTRY] * 100}))
    await asyncio.sleep(0)
    assert not writing.done()
    assert b"".join(await writing) == to_json({"items": [ENTRY] * 100})
