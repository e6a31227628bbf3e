"""Agents, people and time against one board in any order: 2,000 steps here, twice 20,000 with LONG=1.

One half begins anew after every fifty steps, the other goes on with a board that grows old.
SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import pytest

from mission_control.runs import leases
from tests.cast import Cast
from tests.machines import LONG, nothing_is_due, play, steps
from tests.runs_machine import RunsMachine, prepare
from tests.runs_oracle import NEXT


@pytest.mark.parametrize("grows_old", [False, True])
async def test_invariants_hold_after_every_step(cast: Cast, monkeypatch: pytest.MonkeyPatch, grows_old: bool) -> None:
    monkeypatch.setattr(leases, "expire_due", nothing_is_due)
    monkeypatch.setattr(leases, "take_from_silent", nothing_is_due)
    ground = await prepare(cast, grows_old=grows_old)
    await play(RunsMachine, ground, steps(20_000 if LONG else 1_000))
    await ground.verify_all()
    print(f"{ground.steps} steps, {ground.claims} hand-outs: {dict(ground.seen)}")
    for state, number in sorted(ground.reached.items()):
        who, what = NEXT.get(state, ("a person", "restores it, or takes it out of the archive"))
        print(f"{state}, {number} times: {who} {what}; taken {ground.taken.get(state, 0)} times")
    assert ground.claims and ground.seen["done"] and ground.reached["waiting"]
    assert not LONG or ground.reached.keys() >= NEXT.keys()
