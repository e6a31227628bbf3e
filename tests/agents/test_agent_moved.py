"""What an agent did on a board stays there: after its move readers of only the new board see none of it."""

from typing import Any

import pytest

from mission_control.events.leases import Delivery
from mission_control.people.models import BoardAccess, Member
from tests.cast import Cast
from tests.claiming import release, taken
from tests.visitor import visitor


@pytest.fixture
async def moved(cast: Cast) -> dict[str, Any]:
    """A task that Vega tried before it went to Ben's board, which is the only one that Ben reads."""
    task = await cast.add_task(title="The secret of the board before", assigned_agent_id=cast.vega.id)
    held = await taken(cast)
    (await release(cast, held, fence=held["lease"]["fence"])).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
    member = await Member.get(user_id=cast.ben.id)
    await Member.filter(id=member.id).update(all_boards_read=False, all_boards_write=False)
    await BoardAccess.create(organization_member_id=member.id, board_id=cast.other_board.id, can_write=True)
    return task


@pytest.mark.parametrize("what", ["runs", "deliveries"])
async def test_past_of_a_moved_agent(cast: Cast, moved: dict[str, Any], what: str) -> None:
    path = f"/agents/{cast.vega.id}/{what}"
    assert [one["task_id"] for one in (await cast.ada.get(path)).ok()["items"]] == [moved["id"]]
    page = (await cast.ben.get(path)).ok()
    assert (page["items"], page["total"]) == ([], 0)


async def test_failed_notice_of_a_moved_agent(cast: Cast, moved: dict[str, Any]) -> None:
    await Delivery.filter(agent_id=cast.vega.id).update(state="failed")
    [notice] = await Delivery.filter(agent_id=cast.vega.id)
    path = f"/agents/{cast.vega.id}/deliveries/{notice.id}/resends"
    assert (await cast.ben.post(path)).status == 404
    assert (await cast.ada.post(path)).status == 200


@pytest.mark.parametrize("tab", ["", "/runs", "/inbox", "/activity"])
async def test_page_of_a_moved_agent(cast: Cast, moved: dict[str, Any], tab: str) -> None:
    path = f"/agents/{cast.vega.id}{tab}"
    (await (await visitor(cast.app, cast.ada)).get(path)).is_status(200).has("Vega", moved["title"])
    (await (await visitor(cast.app, cast.ben)).get(path)).is_status(200).has("Vega").lacks(moved["title"])
