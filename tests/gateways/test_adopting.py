"""Agents that exist on a gateway are linked to a board, and unlinked again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents.models import Agent
from mission_control.core import times
from mission_control.core.values import new_id
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning.files import BEGIN, END, with_block
from mission_control.gateway_agents.provisioning.workspace import token_in
from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from mission_control.people.models import Organization
from tests.cast import Cast, Program
from tests.gateways.fake_state import FakeAgent
from tests.gateways.tower import Tower, tower_of

MINE = "# Who I am\nI was here before.\n"


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        there = FakeAgent("researcher", "Researcher", "/home/claw/research")
        there.files |= {"AGENTS.md": MINE, "MEMORY.md": "I remember.\n"}
        one.fake.state.agents["researcher"] = there
        yield one


async def adopt(cast: Cast, tower: Tower, **more: Any) -> dict[str, Any]:
    """Link the researcher to the board as Ada."""
    body = {"gateway_agent_id": "researcher", "board_id": cast.board.id, "name": "Researcher", **more}
    made: dict[str, Any] = (await cast.ada.post(f"/gateways/{tower.row.id}/adoptions", body)).ok()
    await tower.settled()
    return made


def files(tower: Tower) -> dict[str, str]:
    """Return the researcher's files."""
    return tower.fake.state.agents["researcher"].files


@pytest.mark.database
async def test_linked_agent_gets_one_block_and_a_message(cast: Cast, tower: Tower) -> None:
    made = await adopt(cast, tower)
    assert made["is_adopted"] and made["openclaw_session_id"] == "agent:researcher:main"
    text = files(tower)["AGENTS.md"]
    assert text.startswith(MINE) and text.count(BEGIN) == text.count(END) == 1
    assert files(tower)["MEMORY.md"] == "I remember.\n"
    assert tower.fake.sent("agents.create") == tower.fake.sent("config.patch") == tower.fake.sent("agents.update") == []
    [message] = tower.fake.sent("chat.send")
    assert (message["sessionKey"], message["deliver"]) == ("agent:researcher:main", False)
    assert "mca_" not in message["message"]
    secret = token_in(text)
    assert secret
    program = Program(cast.app, {"X-Agent-Token": secret})
    (await program.post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")
    assert (await cast.ada.get(f"/agents/{made['id']}")).ok()["status"] == "online"


@pytest.mark.database
async def test_memory_is_touched_only_when_the_person_agrees(cast: Cast, tower: Tower) -> None:
    await adopt(cast, tower, remember=True)
    assert files(tower)["MEMORY.md"].startswith("I remember.\n") and BEGIN in files(tower)["MEMORY.md"]


@pytest.mark.database
async def test_unlinking_takes_back_what_was_added_and_nothing_else(cast: Cast, tower: Tower) -> None:
    made = await adopt(cast, tower, remember=True)
    files(tower)["AGENTS.md"] += "I wrote this since.\n"
    (await cast.ada.delete(f"/gateways/{tower.row.id}/adoptions/{made['id']}")).ok()
    await tower.settled()
    assert files(tower) == {"AGENTS.md": MINE + "I wrote this since.\n", "MEMORY.md": "I remember.\n"}
    assert not await Agent.filter(id=made["id"]).exists()
    assert "researcher" in tower.fake.state.agents


@pytest.mark.database
async def test_linking_again_drops_the_unlinking_that_waits(
    cast: Cast, tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await adopt(cast, tower)
    held = connector.held_here
    monkeypatch.setattr(connector, "held_here", frozenset)
    (await cast.ada.delete(f"/gateways/{tower.row.id}/adoptions/{made['id']}")).ok()
    later = times.clock_now() + timedelta(seconds=1)  # as after an attempt that failed
    await ProvisioningJob.filter(action="unlink").update(due_at=later)
    body = {"gateway_agent_id": "researcher", "board_id": cast.board.id, "name": "Researcher"}
    again = (await cast.ada.post(f"/gateways/{tower.row.id}/adoptions", body)).ok()
    monkeypatch.setattr(connector, "held_here", held)
    await tower.settled()
    assert files(tower)["AGENTS.md"].count(BEGIN) == 1
    (await (await tower.program(again["id"])).post("/agent/heartbeat")).ok()


@pytest.mark.database
async def test_deleting_a_linked_agent_only_unlinks_it(cast: Cast, tower: Tower) -> None:
    made = await adopt(cast, tower)
    (await cast.ada.delete(f"/agents/{made['id']}")).ok()
    await tower.settled()
    assert files(tower)["AGENTS.md"] == MINE
    assert tower.fake.sent("agents.delete") == []


@pytest.mark.database
async def test_what_the_agent_writes_at_the_same_time_is_kept(cast: Cast, tower: Tower) -> None:
    held = tower.fake.hold("agents.files.set")
    body = {"gateway_agent_id": "researcher", "board_id": cast.board.id, "name": "Researcher"}
    (await cast.ada.post(f"/gateways/{tower.row.id}/adoptions", body)).ok()
    await tower.until_held()
    files(tower)["AGENTS.md"] += "And this in between.\n"
    held.set()
    await tower.settled()
    assert files(tower)["AGENTS.md"].startswith(MINE + "And this in between.\n")
    assert files(tower)["AGENTS.md"].count(BEGIN) == 1


@pytest.mark.database
async def test_list_says_which_agents_are_linked(cast: Cast, tower: Tower) -> None:
    made = await adopt(cast, tower)
    listed = (await cast.ada.get(f"/gateways/{tower.row.id}/agents")).ok()["items"]
    assert [(one["id"], one["agent_id"], one["is_adopted"]) for one in listed] == [
        ("main", None, False),
        ("researcher", made["id"], True),
    ]
    assert (await cast.eve.get(f"/gateways/{tower.row.id}/agents")).status == 404
    await tower.disconnect()
    assert (await cast.ada.get(f"/gateways/{tower.row.id}/agents")).status == 502


@pytest.mark.database
async def test_what_cannot_be_linked_is_refused(cast: Cast, tower: Tower) -> None:
    path = f"/gateways/{tower.row.id}/adoptions"
    body = {"gateway_agent_id": "nobody", "board_id": cast.board.id, "name": "Nobody"}
    assert (await cast.ada.post(path, body)).status == 422
    body["gateway_agent_id"] = "researcher"
    assert (await cast.ada.post(path, body | {"board_id": cast.other_board.id})).status == 422
    (await cast.ada.post(path, body)).ok()
    assert (await cast.ada.post(path, body | {"name": "Twice"})).status == 409


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\n\n"])
def test_block_is_added_once_and_removed_whole(text: str) -> None:
    block = f"{BEGIN}\nx\n{END}"
    once = with_block(text, block)
    assert with_block(once, block) == once
    assert with_block(once, None).rstrip("\n") == text.rstrip("\n")
    assert with_block(text, None) == text


@pytest.mark.parametrize("url", ["the same", "ws://elsewhere.example.org"])
async def test_agent_of_another_organization_on_the_same_gateway_is_not_linked(
    cast: Cast, tower: Tower, url: str
) -> None:
    theirs = await Organization.create(name="Elsewhere")
    values: dict[str, Any] = {
        "name": "Theirs",
        "workspace_root": "~/x",
        "url": tower.row.url if url == "the same" else url,
    }
    gateway = await Gateway.create(organization_id=theirs.id, **values)
    key, is_adopted = f"mc-{new_id()}", url == "the same"
    await Agent.create(
        organization_id=theirs.id, gateway_id=gateway.id, name="Spy", gateway_agent_id=key, is_adopted=is_adopted
    )
    tower.fake.state.agents[key] = FakeAgent(key, "Spy", "/home/claw/spy")
    body = {"gateway_agent_id": key, "board_id": cast.board.id, "name": "Ours"}
    (await cast.ada.post(f"/gateways/{tower.row.id}/adoptions", body)).refused(409)
    assert not await Agent.filter(name="Ours").exists()
