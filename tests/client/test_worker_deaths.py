"""`work`, with a worker, an agent or a server that is killed at a few steps; tests/long has all of them."""

from pathlib import Path

import pytest

from tests.client.worker_deaths import play

pytestmark = [pytest.mark.database, pytest.mark.once]


async def test_every_task_is_handed_in_exactly_once(tmp_path: Path) -> None:
    await play(tmp_path, points=3)
