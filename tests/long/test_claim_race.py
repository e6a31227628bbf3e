"""The plays of `tests/live/test_claims_over_http.py` at full length: 64 agents, 2,000 tasks, 50 zombies."""

from pathlib import Path

import pytest

from tests.live.claim_plays import play_race, play_zombies
from tests.live.servers import installation

pytestmark = [pytest.mark.long, pytest.mark.database]

AGENTS, TASKS, ZOMBIES = 64, 2_000, 50


async def test_every_task_is_claimed_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        rate = await play_race(home, server, AGENTS, TASKS)
        print(f"{rate:.0f} claims per second by {AGENTS} agents, while tasks came")


@pytest.mark.postgres
async def test_every_task_is_claimed_once_with_two_workers(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served("--workers", "2") as server:
        rate = await play_race(home, server, AGENTS, TASKS)
        print(f"{rate:.0f} claims per second by {AGENTS} agents of two workers, while tasks came")


async def test_fifty_stale_fences_are_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        await play_zombies(home, server, ZOMBIES)
