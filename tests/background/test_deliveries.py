"""What admins see of the notices of an agent, and who lets one be sent again."""

import pytest

from mission_control.events.leases import Delivery
from tests.cast import Cast

pytestmark = pytest.mark.dialect


async def tell(cast: Cast, count: int = 1) -> None:
    """Vega is told of tasks."""
    for number in range(count):
        await cast.add_task(title=f"Task {number}", assigned_agent_id=cast.vega.id)


async def test_people_list_deliveries(cast: Cast) -> None:
    await tell(cast, 3)
    where = f"/agents/{cast.vega.id}/deliveries"
    first = await Delivery.filter(agent_id=cast.vega.id).order_by("seq").first().values("id")
    await Delivery.filter(id=first["id"]).update(state="failed", last_error="No.")
    body = (await cast.ben.get(f"{where}?limit=2")).ok()
    assert (body["total"], body["limit"], len(body["items"])) == (3, 2, 2)
    numbers = [one["seq"] for one in body["items"]]
    assert numbers == sorted(numbers, reverse=True)
    [failed] = (await cast.ben.get(f"{where}?state=failed")).ok()["items"]
    assert (failed["kind"], failed["state"], failed["last_error"]) == ("task_assigned", "failed", "No.")
    (await cast.ben.get(f"{where}?state=odd")).refused(422)
