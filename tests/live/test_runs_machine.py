"""Agents, people and time against one board in any order: 2,000 steps here, twice 20,000 with LONG=1.

One half begins anew after every fifty steps, the other goes on with a board that grows old.
SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from tests.cast import Cast
from tests.live.servers import PATIENCE, ROOT, installation
from tests.machines import LONG, play, steps
from tests.runs_machine import RunsMachine, alone, prepare
from tests.runs_oracle import NEXT


@pytest.mark.parametrize("grows_old", [False, True])
async def test_invariants_hold_after_every_step(cast: Cast, grows_old: bool) -> None:
    ground = await prepare(cast, grows_old=grows_old)
    try:
        with alone():
            await play(RunsMachine, ground, steps(20_000 if LONG else 1_000))
    finally:
        if ground.past is not None:
            ground.past.time.close()
    await ground.verify_all()
    print(f"{ground.steps} steps, {ground.claims} hand-outs: {dict(ground.seen)}")
    for state, number in sorted(ground.reached.items()):
        who, what = NEXT.get(state, ("a person", "restores it, or takes it out of the archive"))
        print(f"{state}, {number} times: {who} {what}; taken {ground.taken.get(state, 0)} times")
    assert ground.claims and ground.seen["done"] and ground.reached["waiting"]
    assert not LONG or ground.reached.keys() >= NEXT.keys()


@pytest.mark.database
@pytest.mark.thorough
async def test_invariants_hold_when_the_process_is_killed(tmp_path: Path) -> None:
    """At any moment; the last of its processes takes some steps to the end, and finds the whole log in order."""
    chance, deaths = random.Random(7), 40 if LONG else 2
    async with installation(tmp_path) as home:
        for number in range(deaths + 1):
            log, is_last = tmp_path / f"machine-{number}.log", number == deaths
            with log.open("wb") as opened:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.live.machine_process", cwd=ROOT, stdout=opened, stderr=opened,
                    env=home.environment(SEED=f"{number}", SHRINK="0", **({"STEPS": "60"} if is_last else {})),
                )  # fmt: skip
            try:
                async with asyncio.timeout(PATIENCE):
                    while "ready" not in log.read_text() and process.returncode is None:
                        await asyncio.sleep(0.02)
                    if is_last:
                        assert await process.wait() == 0, log.read_text()[-9000:]
                        break
                await asyncio.sleep(chance.uniform(0.1, 4))
                assert process.returncode is None, log.read_text()[-9000:]
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        print(log.read_text())
