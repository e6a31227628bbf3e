"""What keeps the database from taking writes, and that it is over when they succeed again."""

import pytest
from quart import Quart

from mission_control.database.outages import FULL, NAME, Trouble
from mission_control.database.sql import rows

pytestmark = pytest.mark.dialect


@pytest.mark.parametrize("is_left", [True, False])
async def test_trouble_ends_even_if_an_earlier_attempt_left_a_row(app: Quart, is_left: bool) -> None:
    trouble = Trouble()
    if is_left:
        await rows("INSERT INTO instance_settings (name, value) VALUES (?, ?)", NAME, "x")
    assert await trouble.now(None) is None
    trouble.noted(FULL)
    assert await trouble.now(None) is None
    assert await rows("SELECT value FROM instance_settings WHERE name = ?", NAME) == []
