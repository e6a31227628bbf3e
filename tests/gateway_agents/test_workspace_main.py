"""A main agent does what its workspace files show, request by request."""

import json
import re
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.gateway_agents.provisioning.workspace import FILES, WorkspaceFacts, workspace_files
from mission_control.gateways.models import Gateway
from tests.agents_on_gateways import add_gateway, hire_main, hire_on
from tests.cast import Cast, Program

COMMAND = re.compile(
    r"^\./mc (GET|POST) '?(/api/v1/[^\s']+)'?(?: - <<'JSON'\n(?P<here>.*?)\nJSON$| '(?P<quoted>\{[^']*\})')?",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture
async def attic(cast: Cast) -> Board:
    """A board on a gateway, with a lead there."""
    board = await Board.create(organization_id=cast.organization.id, name="Attic", slug="attic", description="Old.")
    gateway = await add_gateway(cast.organization.id, board)
    await hire_on(cast.app, gateway, board, "Leda", is_lead=True)
    return board


@pytest.fixture
async def main(cast: Cast, attic: Board) -> Program:
    """The main agent of the gateway."""
    return await hire_main(cast.app, await Gateway.get(id=attic.gateway_id))


@pytest.mark.parametrize("names", [FILES[:5], FILES], ids=["new", "old"])
async def test_main_agent_does_what_its_files_show(
    cast: Cast, attic: Board, main: Program, names: tuple[str, ...]
) -> None:
    agent = Agent(id=main.id, name=main.name)
    facts = WorkspaceFacts(agent=agent, board=None, base_url="http://127.0.0.1:8000", token="mca_not_used_here")
    (await cast.ada.post(f"/api/v1/boards/{attic.id}/onboarding/start", {})).ok()
    answers: dict[str, Any] = {}
    for found in COMMAND.finditer(workspace_files(facts, names=names)["AGENTS.md"]):
        method, path, here, quoted = found.groups()
        path = path.replace("{board_id}", str(attic.id))
        body = json.loads(here or quoted) if here or quoted else ...
        answers.setdefault(f"{method} {path.partition('?')[0]}", []).append((await main.call(method, path, body)).ok())
    [[message]] = [one for path, one in answers.items() if path.endswith("/lead/message")]
    assert message["ok"]
    [asked, proposed] = next(one for path, one in answers.items() if path.endswith("/onboarding"))
    assert (asked["status"], proposed["status"]) == ("active", "completed")
    assert proposed["draft_goal"]["lead_agent"]["name"] == "Atlas"
    assert len(answers) == 6
