"""Agents, people and time against one board in any order: 2,000 steps here, 100,000 with LONG=1.

SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import pytest

from mission_control.runs import leases
from tests.cast import Cast
from tests.claims_machine import ClaimsMachine, prepare
from tests.machines import LONG, nothing_is_due, play, steps


async def test_invariants_hold_after_every_step(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "expire_due", nothing_is_due)
    ground = await prepare(cast)
    await play(ClaimsMachine, ground, steps(100_000 if LONG else 2_000))
    await ground.verify_all()
    print(f"{ground.steps} steps, {ground.claims} hand-outs: {ground.seen}")
    assert ground.claims
