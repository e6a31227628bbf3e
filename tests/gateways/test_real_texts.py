"""A real gateway says each text that this program reads of gateways, in whatever version it is."""

import uuid
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from mission_control.gateways.connections.open_connection import Connection
from mission_control.gateways.protocol import handshake
from mission_control.gateways.protocol.errors import GatewayError, Said
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.payload import Payload
from mission_control.gateways.protocol.target import Target
from tests.gateways.real import RealGateway, from_elsewhere
from tests.gateways.real_plays import connected, listed
from tests.gateways.real_programs import programs

pytestmark = pytest.mark.gateway

NOBODY = f"nobody-{uuid.uuid4().hex[:8]}"
# What makes a gateway say it: the method, and its params.
PROVOKED: dict[Said, list[tuple[str, dict[str, Any]]]] = {
    Said.UNKNOWN_METHOD: [("no.such.method", {})],
    Said.AGENT_EXISTS: [("agents.create", {"name": "main-twin", "workspace": "WORKSPACE"})],
    Said.AGENT_MISSING: [
        ("agents.delete", {"agentId": NOBODY}),
        ("agents.files.list", {"agentId": NOBODY}),
        ("agents.files.get", {"agentId": NOBODY, "name": "SOUL.md"}),
        ("agents.files.set", {"agentId": NOBODY, "name": "SOUL.md", "content": ""}),
    ],
    Said.LABEL_TAKEN: [("sessions.patch", {"key": "agent:main:texts-two", "label": "Texts"})],
    Said.FILE_UNSUPPORTED: [("agents.files.get", {"agentId": "main", "name": "NOPE.md"})],
    Said.APPROVAL_GONE: [("exec.approval.resolve", {"id": str(uuid.uuid4()), "decision": "deny"})],
    Said.CONFIG_STALE: [("config.patch", {"raw": "{}", "baseHash": "0" * 64})],
}
# Cannot be provoked in a gateway that others use; these stand in its program.
IN_THE_PROGRAM = {
    Said.CONFIG_STORED: "persisted and was accepted for restart; wait for the Gateway to restart",
    Said.CONFIG_STALE: "persisted but was not applied to the active Gateway (",
}


async def provoke(gateway: RealGateway, connection: Connection, without: frozenset[Said] = frozenset()) -> None:
    """Have a gateway say everything that can be provoked by a call."""
    made = {"name": "main-twin", "workspace": str(gateway.workspaces / "main-twin")}
    await connection.call("agents.create", made)
    await listed(connection, "main-twin")
    await connection.call("sessions.patch", {"key": "agent:main:texts-one", "label": "Texts"})
    for said, ways in PROVOKED.items():
        for method, params in ways if said not in without else ():
            with pytest.raises(GatewayError) as caught:
                await connection.call(method, made if method == "agents.create" else params)
            assert said.search(caught.value.message), (method, caught.value.message)
    await connection.call("agents.delete", {"agentId": "main-twin", "deleteFiles": True})


async def test_gateway_says_what_can_be_provoked_by_a_call(real_gateway: RealGateway) -> None:
    async with connected(real_gateway) as connection:
        await provoke(real_gateway, connection)
        key = f"agent:{NOBODY}:main"
        with pytest.raises(GatewayError) as caught:
            await connection.call("chat.send", {"sessionKey": key, "message": "x", "idempotencyKey": "texts"})
        assert Said.AGENT_MISSING.search(caught.value.message)


async def test_connection_that_waits_for_pairing_is_closed_with_the_request(real_gateway: RealGateway) -> None:
    identity = Identity.new()
    async with from_elsewhere(real_gateway) as url, open_socket(url, origin=None) as socket:
        challenge = handshake.read_challenge(Payload.of(orjson.loads(await socket.recv())))
        params: Mapping[str, Any] = handshake.connect_params(
            Target(url, real_gateway.token), identity, challenge, handshake.Attempt()
        )
        await socket.send(orjson.dumps({"type": "req", "id": "1", "method": "connect", "params": params}).decode())
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
    found = Said.PAIRING_REQUIRED.search(closed.value.rcvd.reason)
    assert found and found["reason"] is None and found["request"], closed.value.rcvd.reason


def test_program_has_what_cannot_be_provoked() -> None:
    folder = programs().entry.parent / "dist"
    text = "".join(one.read_text(errors="replace") for one in folder.glob("config-*.mjs"))
    for phrase in IN_THE_PROGRAM.values():
        assert phrase in text
    assert Said.CONFIG_STORED.search(IN_THE_PROGRAM[Said.CONFIG_STORED])


def test_every_text_is_tried() -> None:
    # The one of old gateways is tried in tests/long/test_old_gateway.py.
    tried = {*PROVOKED, *IN_THE_PROGRAM, Said.PAIRING_REQUIRED, Said.MISSING_SCOPE}
    assert tried == set(Said)
