"""Agents, people and time against one board in any order: 2,000 steps here, 20,000 with LONG=1.

SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import pytest

from mission_control.runs import leases
from tests.cast import Cast
from tests.machines import LONG, nothing_is_due, play, steps
from tests.runs_machine import RunsMachine, prepare
from tests.runs_oracle import NEXT


async def test_invariants_hold_after_every_step(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "expire_due", nothing_is_due)
    monkeypatch.setattr(leases, "take_from_silent", nothing_is_due)
    ground = await prepare(cast)
    await play(RunsMachine, ground, steps(20_000 if LONG else 2_000))
    await ground.verify_all()
    print(f"{ground.steps} steps, {ground.claims} hand-outs, {ground.finished} times done: {ground.seen}")
    for state, number in sorted(ground.reached.items()):
        who, what = NEXT.get(state, ("a person", "restores it, or takes it out of the archive"))
        print(f"{state}, {number} times: {who} {what}; taken {ground.taken.get(state, 0)} times")
    assert ground.claims and ground.finished and ground.reached["waiting"]
    assert not LONG or ground.reached.keys() >= NEXT.keys()
