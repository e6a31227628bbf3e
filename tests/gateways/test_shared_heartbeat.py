"""A heartbeat that a gateway's owner set for all agents is named with its cost, and with what keeps it to theirs."""

from typing import Any
from uuid import uuid4

import pytest

from mission_control.gateways.connections.checked_connection import check
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.heartbeats import read_heartbeat
from mission_control.gateways.protocol.payload import Payload
from tests.cast import Cast
from tests.gateways.connecting import target
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, state_of
from tests.visitor import visitor

OURS = f"mc-{uuid4()}"
COMMAND = "openclaw config set agents.defaults.heartbeat.agentId main"


def config(heartbeat: dict[str, Any] | None, **entries: Any) -> dict[str, Any]:
    defaults = {} if heartbeat is None else {"heartbeat": heartbeat}
    return {"agents": {"defaults": defaults, "entries": {"main": {}, OURS: {}, **entries}}}


@pytest.mark.parametrize(
    ("heartbeat", "a_day"), [({"every": "10m"}, 144), ({}, 48), ({"every": "1h30m"}, 16), ({"every": "90"}, 16)]
)
def test_beats_a_day_are_counted(heartbeat: dict[str, Any], a_day: int) -> None:
    found = read_heartbeat(Payload(config(heartbeat)))
    assert found is not None and (found.a_day, found.agents, found.command) == (a_day, 1, COMMAND)


@pytest.mark.parametrize("harmless", [
    config(None),
    config({"every": "0m"}),
    config({"every": "10m", "agentId": "main"}),
    config({"every": "10m"}, main={"heartbeat": {"every": "5m"}}),
    {"agents": {"defaults": {"heartbeat": {}}, "entries": {"main": {}}}},
    {"agents": ["not", "a", "map"]},
])  # fmt: skip
def test_what_does_not_beat_our_agents_is_not_named(harmless: dict[str, Any]) -> None:
    assert read_heartbeat(Payload(harmless)) is None


def test_old_gateway_beats_those_with_a_block_of_their_own() -> None:
    old = {"agents": {"defaults": {"heartbeat": {"every": "10m"}}, "list": [{"id": OURS}, {"id": "main"}]}}
    found = read_heartbeat(Payload(old))
    assert found is not None and found.command == "openclaw config set agents.list[1].heartbeat.every 10m"


async def test_page_and_check_name_it_until_it_is_ended(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.state.config = config({"every": "10m"})
    gateway = await connected_gateway(cast, fake_gateway)
    ada = await visitor(cast.app, cast.ada)
    (await ada.get(f"/gateways/{gateway.id}")).has("at least 144 model calls a day", COMMAND)
    [problem] = [one for one in (await check(target(fake_gateway), Identity.new())).findings if not one.is_fine]
    assert "144 model calls a day" in problem.sentence and COMMAND in problem.remedy
    fake_gateway.state.config["agents"]["defaults"]["heartbeat"]["agentId"] = "main"
    fake_gateway.config_changed()
    await state_of(gateway.id, "connected", last_error=None)
    assert COMMAND not in (await ada.get(f"/gateways/{gateway.id}")).text
