"""No way to done without an approval of the present hand-in, whatever happens: 600 steps here, 10,000 with LONG=1.

SEED in the environment repeats a run, STEPS changes its length; SHRINK=0 shows a failure at once, as it was found.
"""

import pytest

from mission_control.runs import leases
from tests.approvals_machine import ApprovalsMachine, prepare
from tests.cast import Cast
from tests.machines import LONG, nothing_is_due, play, steps


async def test_no_way_to_done_without_an_approval_of_the_hand_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "expire_due", nothing_is_due)
    ground = await prepare(cast)
    await play(ApprovalsMachine, ground, steps(10_000 if LONG else 600))
    print(f"{ground.steps} steps, {ground.finished} times done: {ground.seen}")
    assert ground.finished
