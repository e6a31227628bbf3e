"""The plays of `tests/live/test_durability.py`, longer and with a seed of their own each time."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.live.scenarios import (
    Promises,
    abort_requests,
    check_followers,
    check_whole,
    new_board,
    new_tasks,
    play_aborted_requests,
    play_restarts,
    play_sudden_death,
    write_some,
    write_until,
)
from tests.live.servers import Follower, installation

pytestmark = [pytest.mark.long, pytest.mark.database]

SOAK_SECONDS = 60.0
GROWTH_MIB = 60


async def test_thousands_of_aborted_requests_leave_a_healthy_server(tmp_path: Path, seed: int, rounds: int) -> None:
    async with installation(tmp_path) as home:
        await play_aborted_requests(home, 1000 * max(1, rounds // 5), seed)


async def test_crash_loop(tmp_path: Path, seed: int, rounds: int) -> None:
    async with installation(tmp_path) as home:
        rates = await play_sudden_death(home, rounds, seconds=2.0, seed=seed)
        print(f"acknowledged writes per second before each crash: {', '.join(f'{rate:.0f}' for rate in rates)}")


async def test_many_restarts_under_open_streams(tmp_path: Path, rounds: int) -> None:
    async with installation(tmp_path) as home:
        await play_restarts(home, streams=50, restarts=max(2, rounds // 2))


async def test_soak(tmp_path: Path, seed: int) -> None:
    """Writers, readers and clients that hang up, all at once; memory stays where it was."""
    chance = random.Random(seed)
    async with installation(tmp_path) as home, home.served() as server:
        board = await new_board(server)
        tasks = await new_tasks(server, board, 20)
        promises = Promises()
        followers = [Follower(server.url, f"{board}/tasks/stream", 0) for _ in range(10)]

        async def trouble() -> None:
            await asyncio.sleep(SOAK_SECONDS / 4)
            early = server.resident_mib()
            for _ in range(10):
                await abort_requests(server, board, tasks, 100, chance)
                await asyncio.sleep(SOAK_SECONDS / 14)
            print(f"resident MiB: {early:.0f} early, {server.resident_mib():.0f} late")
            assert server.resident_mib() - early < GROWTH_MIB

        try:
            rate = await write_until(server, board, promises, chance, trouble)
            print(f"{rate:.0f} acknowledged writes per second")
            await promises.check_kept(home)
            await check_followers(home, followers)
            await check_whole(home)
        finally:
            await asyncio.gather(*(follower.close() for follower in followers))


@pytest.mark.postgres
async def test_two_workers_under_load(tmp_path: Path, seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    async with installation(tmp_path) as home, home.served("--workers", "2") as server:
        board = await new_board(server)
        tasks = await new_tasks(server, board, 20)
        followers = [Follower(server.url, f"{board}/tasks/stream", 0) for _ in range(16)]
        try:
            for _ in range(rounds):
                await asyncio.gather(
                    write_some(server, board, writers=20, each=5), abort_requests(server, board, tasks, 100, chance)
                )
            await check_followers(home, followers)
            await check_whole(home)
        finally:
            await asyncio.gather(*(follower.close() for follower in followers))
