"""Agents, people and time against one board in any order: 2,000 steps here, 100,000 with LONG=1.

SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import asyncio
import os
import random

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from mission_control.claims import timer
from tests.cast import Cast
from tests.claims_machine import ClaimsMachine, prepare

LONG = bool(os.environ.get("LONG"))
STEPS = int(os.environ.get("STEPS") or (100_000 if LONG else 2_000))
SHORT_SEED = 2026
PHASES = (Phase.generate, Phase.shrink) if os.environ.get("SHRINK") != "0" else (Phase.generate,)
STEPS_EACH, EXAMPLES_AT_ONCE = 50, 200


async def nothing_is_due() -> int:
    """What the application's own timer finds, so that leases end only when the machine looks."""
    return 0


async def test_invariants_hold_after_every_step(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timer, "expire_due", nothing_is_due)
    ground = await prepare(cast)
    chosen = int(os.environ.get("SEED") or (random.SystemRandom().randrange(10**6) if LONG else SHORT_SEED))
    print(f"SEED={chosen}")
    machine = type("Machine", (ClaimsMachine,), {"ground": ground})
    while ground.steps < STEPS:
        wanted = settings(
            max_examples=min(EXAMPLES_AT_ONCE, -(-(STEPS - ground.steps) // STEPS_EACH)),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            database=None,
            print_blob=True,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        await asyncio.to_thread(run_state_machine_as_test, seed(chosen)(machine), settings=wanted)
        chosen += 1
    await ground.verify_all()
    print(f"{ground.steps} steps, {ground.claims} hand-outs: {ground.seen}")
    assert ground.claims
