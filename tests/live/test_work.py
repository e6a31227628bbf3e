"""Work beside requests, as features declare it: what an idle look costs, and rows whose process was killed."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mission_control.background import sending as loop
from mission_control.background.loops import LOOPS, Loop
from mission_control.core import times
from mission_control.events.leases import Delivery, Leases
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import progress
from mission_control.gateways.models import Gateway
from mission_control.webhooks.outgoing import queue as outgoing_queue
from tests.cast import Cast
from tests.statements import counted

pytestmark = pytest.mark.dialect

BY_NAME = {one.name: one for one in LOOPS}
# Statements of a look while there is nothing to do and no gateway is held; none where a loop is not named.
COSTS = {
    "deleting old messages to people": 5,
    "counting figures": 1,
    "comparing the clock with the database's": 1,
    "ending requests of programs": 1,
    "holding gateways": 2,
    "looking after jobs": 1,
    "looking at the health of the server": 2,
    "looking for boards left half done": 1,
    "deleting old activities": 1,
    "looking for deadlines that passed": 6,  # who else is asked: what nobody has looked at, who is away
    "looking for leases that ended": 5,
    "looking for notes that did not arrive": 1,
    "looking for sessions that ended": 1,
    "looking for silent agents": 1,
    "looking for silent main agents": 2,
    "looking for what waits again": 2,
    "indexing texts for the search": 1,
    "listening to channels": 1,  # after a change, and none where there are none
    "planning what is sent to people": 1,  # after a change, and none where nobody is reached
    "sending deliveries": 1,
    "telling gateways the decisions": 3,
}


def test_loops_have_names_of_their_own() -> None:
    assert len(LOOPS) == len(BY_NAME) and set(COSTS) <= set(BY_NAME)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
async def test_idle_look_is_cheap(cast: Cast, loop: Loop) -> None:
    now = times.clock_now()
    async with cast.app.app_context():
        await BY_NAME["writing down the use of tokens"].look()  # what tests before this one left
        outgoing_queue.forget()
        await outgoing_queue.known.read()
        look = partial(loop.look, now, now) if loop.spans else loop.look
        await look()  # what began before has been done
        with counted() as found:
            await look()
    assert len(found) <= COSTS.get(loop.name, 0), found


async def delivery(cast: Cast) -> Delivery:
    return await Delivery.create(organization_id=cast.organization.id, kind="test.letter", header="LETTER", text="x")


async def job(cast: Cast) -> ProvisioningJob:
    here: dict[str, Any] = {"organization_id": cast.organization.id}
    gateway = await Gateway.create(**here, name="Tower", url="ws://nobody.invalid", workspace_root="~")
    return await ProvisioningJob.create(**here, gateway_id=gateway.id, action="rest")


@pytest.mark.parametrize(("leases", "make"), [(loop.LEASES, delivery), (progress.LEASES, job)], ids=["letter", "job"])
async def test_row_of_a_killed_process_is_taken_over(cast: Cast, leases: Leases[Any], make: Any) -> None:
    which, values = "id = ?", [(await make(cast)).id]
    [(first, _)] = await leases.take(which, values, 1)
    assert await leases.take(which, values, 1) == []
    assert 0 < await leases.seconds_until_due(which, values, 3600) <= leases.duration.total_seconds()
    with times.travelled(leases.duration - timedelta(seconds=1)):
        assert await leases.held(first).update(leased_until=times.clock_now() + leases.duration)
    with times.travelled(leases.duration):
        assert await leases.take(which, values, 1) == []
    with times.travelled(leases.duration * 2):
        [(second, _)] = await leases.take(which, values, 1)
    assert (await leases.held(first).exists(), await leases.held(second).exists()) == (False, True)
    await leases.end_all()
    [(third, _)] = await leases.take(which, values, 1)
    assert (await leases.held(second).exists(), await leases.held(third).exists()) == (False, True)
