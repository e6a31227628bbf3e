"""On a real gateway whose owner's agent beats: Mission Control disturbs nobody, costs nothing and stops at once."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mission_control.gateways.connections.checked_connection import connect
from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.identity import is_made_by_us
from mission_control.gateways.protocol.target import Target
from tests.gateways.fake_model import Reply, Turn
from tests.gateways.real import RealGateway
from tests.gateways.team import PATIENCE, Team, beside, until

pytestmark = [pytest.mark.gateway, pytest.mark.database]

# By hand: QUIET_EVERY=30s QUIET_SECONDS=600
EVERY = os.environ.get("QUIET_EVERY", "5s")
IDLE_SECONDS = float(os.environ.get("QUIET_SECONDS", "12"))
OWNERS = "main"


@pytest.fixture
async def owner(real_gateway: RealGateway) -> AsyncIterator[Connection]:
    """The gateway's owner, whose own agent beats all the time."""
    target = Target(real_gateway.url, token=real_gateway.token)
    connection = await connect(target, Identity.new(), on_event=lambda event: None)
    await patched(connection, OWNERS, {"heartbeat": {"every": EVERY, "target": "none"}})
    yield connection
    await patched(connection, OWNERS, {"heartbeat": None})
    await connection.close()


async def patched(connection: Connection, agent_id: str, entry: dict[str, Any]) -> None:
    """Change the entry of an agent, as the gateway's owner."""
    found = await connection.call("config.get", seconds=PATIENCE)
    raw = json.dumps({"agents": {"entries": {agent_id: entry}}})
    await connection.call("config.patch", {"raw": raw, "baseHash": found["hash"]}, seconds=PATIENCE)


async def entries(connection: Connection) -> dict[str, Any]:
    """The agents in the gateway's configuration that an installation of Mission Control made."""
    config = (await connection.call("config.get", seconds=PATIENCE))["config"]
    return {key: one for key, one in config["agents"].get("entries", {}).items() if is_made_by_us(key)}


async def still_beats(gateway: RealGateway) -> None:
    """Wait until the owner's agent has beaten twice more."""

    async def beats() -> int:
        return len([one for one in gateway.model.asked(OWNERS) if not one.results])

    before = await beats()
    await until(beats, lambda found: found >= before + 2)


def spent(gateway: RealGateway) -> list[str]:
    """What the agents that Mission Control made asked the model for."""
    return [one.user for one in gateway.model.turns if is_made_by_us(one.agent)]


async def at_rest(team: Team) -> None:
    """Wait until no agent is in a turn."""
    for agent_id in (team.lead_id, *team.worker_ids):
        await until(partial(team.agent, agent_id), lambda found: found["run_began_at"] is None)


async def told(team: Team, gateway: RealGateway, word: str, reply: Reply) -> str:
    """Tell a worker something, on which its model gives a reply; the id of the worker."""
    vega = team.worker_ids[0]
    scripted = gateway.model.answer

    def answer(turn: Turn) -> Reply | None:
        if turn.agent == f"mc-{vega}" and word in turn.user and not turn.results:
            return reply
        return scripted(turn) if scripted is not None else None

    gateway.model.answer = answer
    await team.ask("POST", f"/boards/{team.board_id}/memory", {"content": f"@Vega {word}", "tags": ["chat"]})
    await until(lambda: team.agent(vega), lambda found: found["run_began_at"] is not None)
    return vega


async def others_are_online(team: Team) -> None:
    """See that the turn of one agent says nothing about the others."""
    others = [await team.agent(one) for one in (team.lead_id, team.worker_ids[1])]
    assert [one["status"] for one in others] == ["online"] * 2


async def an_approval_waits(team: Team, gateway: RealGateway, owner: Connection) -> None:
    """Let a worker wait for an approval, and refuse it at last."""
    await patched(owner, f"mc-{team.worker_ids[0]}", {"tools": {"exec": {"mode": "ask"}}})
    await told(team, gateway, "touch it", Reply(command="touch it"))
    path = f"/boards/{team.board_id}/approvals"
    waiting = await until(lambda: team.ask("GET", f"{path}?status=pending"), lambda found: found["items"])
    await others_are_online(team)
    await team.ask("PATCH", f"{path}/{waiting['items'][0]['id']}", {"status": "rejected"})
    await at_rest(team)


async def a_long_turn_is_stopped(team: Team, gateway: RealGateway) -> None:
    """Stop a worker that would speak for 40 seconds."""
    vega = await told(team, gateway, "long speech", Reply("word " * 400, seconds=40.0))
    await team.ask("PUT", f"/agents/{vega}/work-state", {"state": "stopped"})
    began = time.monotonic()
    await until(lambda: team.agent(vega), lambda found: found["run_began_at"] is None)
    print(f"ended {time.monotonic() - began:.1f} s after it was stopped")
    await until(
        lambda: team.ask("GET", f"/activity?board_id={team.board_id}&limit=50"),
        lambda found: any("Ended what Vega was doing" in str(one["message"]) for one in found["items"]),
    )
    await others_are_online(team)


async def test_owners_agent_never_stops_to_beat_and_ours_cost_nothing(
    real_gateway: RealGateway, owner: Connection, tmp_path: Path
) -> None:
    await still_beats(real_gateway)
    before, of_others = (await owner.call("config.get"))["hash"], set(await entries(owner))
    async with beside(real_gateway, tmp_path) as team:
        path = f"/gateways/{team.gateway_id}"
        await until(lambda: team.ask("GET", path), lambda found: found["state"] == "connected")
        await still_beats(real_gateway)
        assert (await owner.call("config.get"))["hash"] == before  # a gateway that was added is not changed

        await team.begin()
        await still_beats(real_gateway)
        made = {key: one for key, one in (await entries(owner)).items() if key not in of_others}
        assert len(made) == 3 and not [one for one in made.values() if "heartbeat" in one]

        await at_rest(team)
        asked = len(spent(real_gateway))
        await asyncio.sleep(IDLE_SECONDS)
        assert spent(real_gateway)[asked:] == []

        await an_approval_waits(team, real_gateway, owner)
        await a_long_turn_is_stopped(team, real_gateway)

        await team.ask("DELETE", f"/agents/{team.worker_ids[1]}")
        job = await team.ask("POST", f"{path}/removals", {"force": True})
        ended = await until(lambda: team.ask("GET", f"/jobs/{job['id']}"), lambda found: found["state"] != "running")
        assert ended["state"] == "done", ended
        await until(lambda: entries(owner), lambda found: set(found) == of_others)
        await still_beats(real_gateway)
