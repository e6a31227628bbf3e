"""Claims over real sockets; `tests/long/test_claim_race.py` is the long form."""

from pathlib import Path

from tests.live.claim_plays import play_race, play_zombies
from tests.live.servers import installation


async def test_agents_race_for_tasks(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        await play_race(home, server, agents=8, tasks=60)


async def test_zombies_are_refused(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        await play_zombies(home, server, 5)
