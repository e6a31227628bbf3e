"""`work`, with a worker, an agent and a server that are killed at twenty steps each."""

from pathlib import Path

import pytest

from tests.client.worker_deaths import play

pytestmark = [pytest.mark.long, pytest.mark.database]


async def test_every_task_is_handed_in_exactly_once(tmp_path: Path) -> None:
    await play(tmp_path, *(place / 19 for place in range(20)))
