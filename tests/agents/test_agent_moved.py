"""An agent moves: what it did stays on its board, unseen by readers of only the new one, and it goes to its gateway."""

from typing import Any

import pytest

from mission_control.boards.models import Board
from mission_control.events.leases import Delivery
from mission_control.people.models import BoardAccess, Member
from tests.agents_on_gateways import add_gateway, hire_on
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


async def test_agent_moves_to_the_gateway_of_its_new_board(cast: Cast) -> None:
    here, there = await add_gateway(cast.organization.id, cast.board), await add_gateway(cast.organization.id)
    lyra = await hire_on(cast.app, here, cast.board, "Lyra")
    path, to = f"/agents/{lyra.id}", {"board_id": str(cast.other_board.id)}
    assert "has no gateway" in (await cast.ada.patch(path, to)).refused(422)
    await Board.filter(id=cast.other_board.id).update(gateway_id=there.id)
    moved = (await cast.ada.patch(path, to)).ok()
    assert (moved["board_id"], moved["gateway_id"]) == (str(cast.other_board.id), str(there.id))
