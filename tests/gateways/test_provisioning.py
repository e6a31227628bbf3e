"""Agents come to life on a gateway: the steps, their order, and what is in the files."""

from collections.abc import AsyncIterator

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.events import wakeup_channels
from mission_control.events.commands import atomically
from mission_control.events.unit_of_work import react, record
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning import gateway_agent
from mission_control.gateway_agents.provisioning.jobs import CHANNEL
from mission_control.gateway_agents.provisioning.main_agents import ensure_main_agent
from mission_control.gateways.connections.events import GatewayRef, when_connected
from mission_control.gateways.models import Gateway
from tests.cast import Cast, events, head
from tests.gateways.tower import Tower, tower_of
from tests.visitor import visitor

pytestmark = pytest.mark.database

OLD_HEARTBEAT = {"every": "9m", "target": "none", "prompt": "Heartbeat of Mission Control."}
READS = {"agents.list", "config.get", "agents.files.list"}
RESTARTS = (
    "config.patch persisted and updated the active Gateway, but a recovery restart is required; wait for the Gateway"
    " to restart, then run config.get to confirm the active revision"
)


@pytest.fixture
async def tower(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tower]:
    async with tower_of(cast, monkeypatch) as one:
        yield one


async def test_agent_is_created_on_its_boards_gateway(cast: Cast, tower: Tower) -> None:
    before = await head(cast)
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    assert (made["status"], made["token"], made["gateway_id"]) == ("provisioning", None, str(tower.row.id))
    await tower.settled()

    agent = await Agent.get(id=made["id"])
    key = f"mc-{agent.id}"
    assert agent.openclaw_session_id == f"agent:{key}:main"
    writes = [one for one in tower.names() if one not in READS]
    files = ["agents.files.set"] * writes.count("agents.files.set")
    assert writes == ["agents.create", "config.patch", *files, "sessions.patch", "chat.send"]
    assert tower.fake.sent("agents.create") == [{"name": key, "workspace": f"~/.openclaw/workspace-{key}"}]
    assert sorted(tower.files(agent)) == ["AGENTS.md", "MEMORY.md", "SOUL.md", "USER.md"]
    [wake] = tower.fake.sent("chat.send")
    assert (wake["sessionKey"], wake["deliver"]) == (agent.openclaw_session_id, True)
    kinds = [one.kind for one in await events(before, agent_id=agent.id)]
    assert kinds == ["agent.created", "agent.provision.direct", "agent.wakeup.sent"]


async def test_first_call_with_the_token_of_its_files_ends_the_job(cast: Cast, tower: Tower) -> None:
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.settled()
    seen = (await cast.ada.get(f"/agents/{made['id']}")).ok()
    assert (seen["status"], seen["wake_attempts"]) == ("provisioning", 1)
    lyra = await tower.program(made["id"])
    (await lyra.post("/agent/heartbeat")).ok()
    await tower.until("state = 'done'")
    seen = (await cast.ada.get(f"/agents/{made['id']}")).ok()
    assert (seen["status"], seen["wake_attempts"], seen["checkin_deadline_at"]) == ("online", 0, None)
    assert [one["state"] for one in (await tower.job(made["id"])).steps] == ["done"] * 7


async def test_lead_and_main_agent_have_their_names_and_files(cast: Cast, tower: Tower) -> None:
    await Agent.filter(id=cast.atlas.id).delete()
    lead = (await cast.ada.post("/agents", {"name": "Sol", "board_id": cast.board.id, "is_board_lead": True})).ok()
    main = await tower.add_main_agent()
    await tower.settled()
    assert lead["openclaw_session_id"] == f"agent:lead-{cast.board.id}:main"
    assert main.openclaw_session_id == f"agent:mc-gateway-{tower.row.id}:main"
    assert main.workspace_path == f"~/.openclaw/workspace-gateway-{tower.row.id}"
    files = tower.files(await Agent.get(id=lead["id"]))
    assert sorted(files) == ["AGENTS.md", "BOOTSTRAP.md", "MEMORY.md", "SOUL.md", "USER.md"]
    assert sorted(tower.files(main)) == ["AGENTS.md", "MEMORY.md", "SOUL.md", "USER.md"]


async def test_old_gateway_gets_eight_files_and_a_list(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    async with tower_of(cast, monkeypatch, is_old=True) as tower:
        made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
        await tower.settled()
        agent = await Agent.get(id=made["id"])
        assert len(tower.files(agent)) == 7
        entry = tower.fake.state.entry(f"mc-{agent.id}")
        assert entry is not None and "heartbeat" not in entry
        (await (await tower.program(agent.id)).post("/agent/heartbeat")).ok()


async def test_unchanged_configuration_is_not_patched(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    (await cast.ada.post(f"/agents/{made.id}/provisionings", {})).ok()
    await tower.settled()
    assert len(tower.fake.sent("config.patch")) == 1  # its name, when it was made
    assert [one["name"] for one in tower.fake.sent("agents.create")] == [made.gateway_agent_id]


async def test_heartbeats_that_an_earlier_version_wrote_are_taken_back_at_the_next_connection(
    cast: Cast, tower: Tower
) -> None:
    made = await tower.add_agent(cast)
    entry, owners = tower.fake.state.entry(str(made.gateway_agent_id)), tower.fake.state.entry("main")
    assert entry is not None and owners is not None
    entry["heartbeat"], owners["heartbeat"] = OLD_HEARTBEAT, {"every": "30s"}
    await gateway_agent.heal(GatewayRef(tower.row.id, tower.row.organization_id))
    entry, owners = tower.fake.state.entry(str(made.gateway_agent_id)), tower.fake.state.entry("main")
    assert entry is not None and "heartbeat" not in entry
    assert owners is not None and owners["heartbeat"] == {"every": "30s"}


async def test_main_agent_is_made_when_something_waits_to_be_told_to_it(cast: Cast, tower: Tower) -> None:
    actor = system(tower.row.organization_id)
    main, _ = await atomically(actor, lambda: ensure_main_agent(tower.row))
    wakeup_channels.channels_notify([CHANNEL])
    lyra = await tower.add_agent(cast)
    assert set(tower.fake.state.agents) == {"main", lyra.gateway_agent_id}
    request = {"content": "Which date?", "preferred_channel": "mail"}
    (await cast.atlas.post(f"/agent/boards/{cast.board.id}/gateway/main/ask-user", request)).ok()
    await tower.until_agent(main.id, wake_attempts=1)
    assert main.gateway_agent_id in tower.fake.state.agents


async def test_agent_that_exists_already_is_updated(cast: Cast, tower: Tower) -> None:
    tower.fake.hidden_look_ups = 3
    made = await tower.add_agent(cast)
    tower.fake.hidden_look_ups = 0
    assert (tower.fake.state.entry(str(made.gateway_agent_id)) or {})["name"] == "Lyra"
    (await cast.ada.patch(f"/agents/{made.id}", {"name": "Vesta"})).ok()
    await tower.settled()
    assert (tower.fake.state.entry(str(made.gateway_agent_id)) or {})["name"] == "Vesta"
    assert len(tower.fake.state.agents) == 2


async def test_refused_file_ends_in_a_visible_error_and_retry_succeeds(cast: Cast, tower: Tower) -> None:
    tower.fake.fail("agents.files.set", "the disk is full")
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until("attempts > 0 AND state = 'waiting'")
    seen = (await cast.ada.get(f"/agents/{made['id']}")).ok()
    assert (seen["status"], "the disk is full" in seen["last_provision_error"]) == ("error", True)
    [job] = (await cast.ada.get(f"/agents/{made['id']}/provisionings")).ok()["items"]
    assert [one["state"] for one in job["steps"]][:4] == ["done", "done", "done", "waiting"]
    token = (await Agent.get(id=made["id"])).workspace_token
    (await cast.ada.post(f"/agents/{made['id']}/provisionings", {})).ok()
    await tower.settled()
    (await (await tower.program(made["id"])).post("/agent/heartbeat")).ok()
    agent = await Agent.get(id=made["id"])
    assert (agent.status, agent.last_provision_error, agent.workspace_token) == ("online", None, token)
    assert len(await ProvisioningJob.filter(agent_id=agent.id)) == 1


@pytest.fixture
def alone(tower: Tower, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own connection makes no first calls: they would take faults that are meant for a job."""
    monkeypatch.setattr(when_connected, "functions", [])


@pytest.mark.usefixtures("alone")
async def test_failure_that_was_overcome_is_forgotten(cast: Cast, tower: Tower) -> None:
    tower.fake.old_heartbeat = OLD_HEARTBEAT
    tower.fake.fail("config.patch", "the disk is full")
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until("attempts > 0 AND state = 'waiting'")
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/agents/{made['id']}/gateway")).has("the disk is full It is tried again by itself.")
    gate = tower.fake.hold("agents.files.set")
    await ProvisioningJob.all().update(due_at=times.clock_now())
    await tower.until_held()
    seen = (await cast.ada.get(f"/agents/{made['id']}")).ok()
    assert (seen["status"], seen["last_provision_error"]) == ("provisioning", None)
    gate.set()
    await tower.settled()
    job = await tower.job(made["id"])
    assert (job.state, job.attempts, job.last_error) == ("waiting", 0, None)
    page = await ada.get(f"/agents/{made['id']}/gateway")
    page.has("Waiting for its first call").lacks("tried again", "disk is full")


@pytest.mark.usefixtures("alone")
async def test_stored_patch_that_restarts_the_gateway_is_no_failure(
    cast: Cast, tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_agent, "PAUSE_SECONDS", 0.01)
    tower.fake.old_heartbeat = OLD_HEARTBEAT
    tower.fake.fail("config.patch", RESTARTS, code="UNAVAILABLE", retryable=True)
    agent = await tower.add_agent(cast)
    job = await tower.job(agent.id)
    assert (job.attempts, job.awaits_check_in, agent.status) == (0, True, "online")


async def test_disconnect_in_the_middle_goes_on_after_the_reconnect(cast: Cast, tower: Tower) -> None:
    tower.fake.break_off("agents.files.set")
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until("last_error IS NOT NULL")
    await tower.disconnect()
    assert (await cast.ada.get(f"/agents/{made['id']}")).ok()["status"] == "provisioning"
    await tower.connect()
    await tower.settled()
    assert len(tower.fake.sent("agents.create")) == 1
    assert len(tower.fake.sent("chat.send")) == 1
    (await (await tower.program(made["id"])).post("/agent/heartbeat")).ok()


async def test_second_lead_on_a_gateway_gets_a_label_of_its_own(cast: Cast, tower: Tower) -> None:
    tower.fake.unique_labels = "gateway"
    await Board.filter(id=cast.other_board.id).update(gateway_id=tower.row.id)
    await Agent.filter(id=cast.atlas.id).delete()
    for board in (cast.board, cast.other_board):
        new = {"name": "Lead Agent", "board_id": board.id, "is_board_lead": True}
        (await cast.ada.post("/agents", new)).ok()
        await tower.settled()
    labels = {one.label for one in tower.fake.state.sessions.values()}
    assert len(labels) == 2 and all(str(one).startswith("Lead Agent") for one in labels)
    assert len(tower.fake.sent("chat.send")) == 2


async def test_deleted_agent_is_removed_from_its_gateway(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    await tower.disconnect()
    (await cast.ada.delete(f"/agents/{made.id}")).ok()
    assert (await cast.ada.get(f"/agents/{made.id}")).status == 404
    assert made.gateway_agent_id in tower.fake.state.agents
    await tower.connect()
    await tower.settled()
    assert made.gateway_agent_id not in tower.fake.state.agents


async def test_agent_that_moves_to_a_board_of_the_gateway_keeps_its_name_there(cast: Cast, tower: Tower) -> None:
    await Board.filter(id=cast.other_board.id).update(gateway_id=tower.row.id)
    made = await tower.add_agent(cast)
    (await cast.ada.patch(f"/agents/{made.id}", {"board_id": cast.other_board.id})).ok()
    await tower.settled()
    assert str(cast.other_board.id) in tower.files(made)["AGENTS.md"]
    assert [one["name"] for one in tower.fake.sent("agents.create")] == [made.gateway_agent_id]


async def test_direct_agent_on_a_board_with_a_gateway(cast: Cast, tower: Tower) -> None:
    new = {"name": "Lyra", "board_id": cast.board.id, "gateway_id": None}
    made = (await cast.ada.post("/agents", new)).ok()
    assert made["token"] and made["gateway_id"] is None
    assert (await cast.ada.post(f"/agents/{made['id']}/provisionings", {})).status == 422
    assert (await cast.ada.post("/agents", new | {"name": "Vesta", "gateway_id": str(cast.board.id)})).status == 422


async def test_board_that_loses_its_gateway_leaves_its_agents_in_error(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    program = await tower.program(made.id)
    (await cast.ada.patch(f"/boards/{cast.board.id}", {"gateway_id": None})).ok()
    (await program.post("/agent/heartbeat")).ok()
    assert (await cast.ada.get(f"/agents/{made.id}")).ok()["status"] == "error"


async def test_agents_of_a_deleted_gateway_stay_in_error(cast: Cast, tower: Tower) -> None:
    made = await tower.add_agent(cast)
    main = await tower.add_main_agent()
    await tower.settled()
    await delete_gateway(await cast.ada.actor(), tower.row)
    seen = (await cast.ada.get(f"/agents/{made.id}")).ok()
    assert (seen["status"], "gateway was deleted" in seen["last_provision_error"]) == ("error", True)
    assert not await Agent.filter(id=main.id).exists()
    assert (await cast.ada.post(f"/agents/{made.id}/provisionings", {})).status == 422
    (await cast.ada.delete(f"/agents/{made.id}")).ok()


async def delete_gateway(actor: Actor, gateway: Gateway) -> None:
    """Delete a gateway as its command does."""

    async def work() -> None:
        record("gateway.deleted", gateway, "Gateway deleted: Tower.", name="Tower", gateway_id=gateway.id)
        await react()
        await gateway.delete()

    await atomically(actor, work)


async def test_superseded_patch_is_looked_at_again_at_once(cast: Cast, tower: Tower) -> None:
    tower.fake.old_heartbeat = OLD_HEARTBEAT
    tower.fake.fail("config.patch", "config.patch persisted but was not applied to the active Gateway (superseded)")
    made = await tower.add_agent(cast)
    assert (made.status, (await tower.job(made.id)).attempts) == ("online", 0)


@pytest.mark.parametrize("fails", [True, False])
async def test_change_during_a_run_that_fails_loses_nothing_of_the_first_request(
    cast: Cast, tower: Tower, fails: bool
) -> None:
    gate = tower.fake.hold("agents.create")
    made = (await cast.ada.post("/agents", {"name": "Lyra", "board_id": cast.board.id})).ok()
    await tower.until_held()
    (await cast.ada.patch(cast.home, {"objective": "See more."})).ok()  # needs new files, and wakes nobody
    if fails:
        tower.fake.fail("sessions.patch", "disk full")
    gate.set()
    await tower.settled()
    assert len(tower.fake.sent("chat.send")) == 1
    lyra = await tower.program(made["id"])
    (await lyra.post("/agent/heartbeat")).ok()
    await tower.until_agent(made["id"], status="online")
    assert "See more." in "".join(tower.files(await Agent.get(id=made["id"])).values())
