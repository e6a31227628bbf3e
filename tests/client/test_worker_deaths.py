"""`work`, with a worker, an agent or a server that is killed at a few steps; tests/long has all of them."""

from pathlib import Path

import pytest

from tests.client.worker_deaths import play

pytestmark = [pytest.mark.database, pytest.mark.once]


@pytest.mark.parametrize("parts", [(0.5,), pytest.param((0, 1), marks=pytest.mark.thorough)], ids=["half", "ends"])
async def test_every_task_is_handed_in_exactly_once(tmp_path: Path, parts: tuple[float, ...]) -> None:
    await play(tmp_path, *parts)
