"""The client with a real OpenClaw gateway: agents, runs, pairing, restarts."""

import asyncio

import pytest

from mission_control.gateways.protocol.errors import (
    TOKEN_COMMANDS,
    GatewayError,
    NotSupported,
    PairingRequired,
    TokenRefused,
    Unreachable,
)
from mission_control.gateways.protocol.handshake import Identity
from tests.gateways.published import METHODS
from tests.gateways.real import START_SECONDS, RealGateway, from_elsewhere
from tests.gateways.real_plays import PATIENCE, connected, play_command

pytestmark = pytest.mark.gateway


async def test_gateway_has_what_this_program_uses(real_gateway: RealGateway) -> None:
    async with connected(real_gateway) as connection:
        hello = connection.hello
        assert (hello.protocol, hello.version, hello.missing_scopes) == (4, "2026.9.6", ())
        assert [one for one in METHODS if not hello.has(one)] == []
        with pytest.raises(NotSupported):
            await connection.call("agents.files.delete", {"agentId": "main", "name": "SOUL.md"})
    with pytest.raises(TokenRefused):
        async with connected(real_gateway, token="a-wrong-token"):
            pass


async def test_shown_command_prints_the_token(real_gateway: RealGateway) -> None:
    assert real_gateway.token in await real_gateway.command(*TOKEN_COMMANDS[0].split()[1:], at_terminal=True)


async def test_agent_runs_a_command_and_its_call_arrives(real_gateway: RealGateway) -> None:
    await play_command(real_gateway)


async def test_pairing_from_another_machine(real_gateway: RealGateway) -> None:
    identity = Identity.new()
    async with from_elsewhere(real_gateway) as url:
        with pytest.raises(PairingRequired) as caught:
            async with connected(real_gateway, identity=identity, url=url):
                pass
        assert caught.value.device_id == identity.device_id and caught.value.request_id
        program, *words = caught.value.command.split()
        assert program == "openclaw"
        await real_gateway.command(*words)
        async with connected(real_gateway, identity=identity, url=url) as connection:
            token = connection.hello.device_token
            assert token and connection.hello.missing_scopes == ()
        async with connected(real_gateway, identity=identity, url=url, token=None, device_token=token) as connection:
            assert (await connection.call("health"))["ok"] is True


async def test_restart_of_the_gateway(real_gateway: RealGateway) -> None:
    async with connected(real_gateway) as connection:
        before = connection.hello.boot_id
        await connection.call("gateway.restart.request", {"reason": "a test"})
        async with asyncio.timeout(PATIENCE):
            assert (await connection.wait_closed()).code == 1012
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                async with connected(real_gateway) as connection:
                    assert connection.hello.boot_id != before
                    return
            except Unreachable as problem:
                assert problem.is_retryable, problem
                await asyncio.sleep(problem.retry_after or 0.2)
            except GatewayError as problem:
                raise AssertionError(f"{problem.code} {problem}") from problem
