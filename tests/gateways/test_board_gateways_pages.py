"""The gateway of a board on its pages: which can be chosen, and what it needs."""

import pytest

from mission_control.boards.models import Board
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.onboarding import add_gateway, on_gateway, put_on
from tests.visitor import visitor


async def test_forms_offer_the_gateways_with_their_states(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    for page in ("/boards/new", f"{cast.home}/settings"):
        (await ada.get(page)).is_status(200).lacks('name="gateway_id"')
    await add_gateway(cast, state="pairing")
    foreign = await add_gateway(cast)
    await Gateway.filter(id=foreign.id).update(organization_id=cast.elsewhere.id, name="Foreign")
    for page in ("/boards/new", f"{cast.home}/settings"):
        (await ada.get(page)).has("Dock (waits for pairing)", "None: agents call by themselves").lacks("Foreign")


async def test_people_who_are_no_admins_leave_the_gateway_alone(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast, cast.board)
    cleo = await visitor(cast.app, cast.cleo)
    (await cleo.get(f"{cast.home}/settings")).lacks('name="gateway_id"', "Dock (")
    (await cleo.post(f"{cast.home}/settings", {"name": "Dome", "max_agents": "3"})).is_status(303)
    board = await Board.get(id=cast.board.id)
    assert (board.max_agents, board.gateway_id) == (3, gateway.id)


async def test_first_agent_of_a_board_is_made_on_its_gateway(cast: Cast) -> None:
    board = (await cast.ada.post("/boards", {"name": "Dome", "slug": "dome", "description": "Roof."})).ok()["id"]
    gateway, _ = await on_gateway(cast, await Board.get(id=board))
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/boards/{board}")).has(f'href="/agents/new?board={board}"')
    (await ada.get(f"/agents/connect?board={board}")).has(f"An agent on {gateway.name}")


async def test_a_board_leaves_its_gateway(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast, cast.board)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}/settings")).has(f'value="{gateway.id}" selected')
    form = {"name": "Dome", "max_agents": "1", "gateway_id": ""}
    (await ada.post(f"{cast.home}/settings", form)).is_status(303)
    assert (await Board.get(id=cast.board.id)).gateway_id is None


async def test_a_gateway_that_is_gone_can_be_kept_or_replaced(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast, cast.board)
    await add_gateway(cast)
    await Gateway.filter(id=gateway.id).update(organization_id=cast.elsewhere.id)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"{cast.home}/settings")).has("A gateway that is gone")
    (await ada.get(cast.home)).has("The board's gateway is gone.")


@pytest.mark.parametrize(("state", "words"), [
    ("pairing", "Dock waits for pairing"),
    ("unreachable", "Dock cannot be reached"),
    ("refused", "Dock refuses the connection"),
    ("connecting", "Dock is being connected"),
])  # fmt: skip
async def test_the_board_says_what_its_gateway_needs(cast: Cast, state: str, words: str) -> None:
    gateway, _ = await on_gateway(cast, cast.board, state=state)
    ada, dan = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.dan)
    (await ada.get(cast.home)).has(words, f"/gateways/{gateway.id}")
    (await dan.get(cast.home)).has(words).lacks(f"/gateways/{gateway.id}")
    await Gateway.filter(id=gateway.id).update(state="connected")
    (await ada.get(cast.home)).lacks(words)


async def test_first_steps_lead_to_the_conversation(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    page = f"/boards/{cast.other_board.id}"
    (await ada.get(page)).has(f"{page}/setup").lacks(f"{page}/onboarding")
    await put_on(cast.other_board, await add_gateway(cast))
    (await ada.get(page)).has(f"{page}/onboarding", "Talk it through").lacks(f'"{page}/setup"')


async def test_a_board_is_created_on_a_gateway(cast: Cast) -> None:
    gateway, _ = await on_gateway(cast)
    ada = await visitor(cast.app, cast.ada)
    form = {"name": "North", "gateway_id": str(gateway.id)}
    assert (await ada.post("/boards", form)).leads_to.startswith("/boards/")
    assert (await Board.get(name="North")).gateway_id == gateway.id


async def test_a_gateway_that_cannot_be_chosen_returns_the_form(cast: Cast) -> None:
    headless = await add_gateway(cast)
    ada = await visitor(cast.app, cast.ada)
    form = {"name": "North", "description": "Far up.", "gateway_id": str(headless.id)}
    (await ada.post("/boards", form)).is_status(422).has("There is no gateway with this id", "Far up.")
    form = {"name": "Dome", "max_agents": "7", "gateway_id": str(headless.id)}
    (await ada.post(f"{cast.home}/settings", form)).is_status(422).has("There is no gateway with this id", 'value="7"')
    await put_on(cast.board, headless)
    (await ada.post(f"{cast.home}/settings", form)).is_status(303)
    assert (await Board.get(id=cast.board.id)).max_agents == 7
