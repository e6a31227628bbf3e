"""A real OpenClaw gateway of March 2026 (protocol 3), which does not say what it grants on the same machine."""

from collections.abc import Iterator

import pytest

from mission_control.gateways.connections.checked_connection import check
from mission_control.gateways.protocol.errors import TOKEN_COMMANDS, MissingScopes, Said
from mission_control.gateways.protocol.handshake import Identity
from mission_control.gateways.protocol.target import Target
from tests.gateways.real import RealGateway, started
from tests.gateways.real_plays import connected, play_command
from tests.gateways.real_programs import OLD, programs
from tests.gateways.test_real_texts import provoke
from tests.node_packages import CannotInstall

pytestmark = [pytest.mark.long, pytest.mark.gateway]


@pytest.fixture(scope="module")
def old_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGateway]:
    """The gateway, started once."""
    try:
        installed = programs(OLD)
    except CannotInstall as reason:
        pytest.skip(str(reason))
    with started(installed, tmp_path_factory.mktemp("old-gateway"), is_old=True) as gateway:
        yield gateway


async def test_old_gateway_connects_and_lists_agents(old_gateway: RealGateway) -> None:
    async with connected(old_gateway) as connection:
        hello = connection.hello
        assert (hello.protocol, hello.version, hello.scopes) == (3, "2026.3.13", ("operator.admin",))
        assert [one["id"] for one in (await connection.call("agents.list"))["agents"]] == ["main"]
        assert (await connection.call("gateway.identity.get"))["deviceId"]
    report = await check(Target(old_gateway.url, old_gateway.token), Identity.new())
    assert report.state == "ok" and report.version == "2026.3.13"


async def test_old_gateway_that_grants_too_little_is_refused(
    old_gateway: RealGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mission_control.gateways.protocol.handshake.ASKED_SCOPES", ("operator.read", "operator.write"))
    with pytest.raises(MissingScopes) as caught:
        async with connected(old_gateway):
            pass
    assert caught.value.scopes == ("operator.admin",)
    found = Said.MISSING_SCOPE.search(caught.value.message)  # there is no code for it
    assert found is not None and found["scope"] == "operator.admin"


async def test_old_gateway_says_the_texts_that_are_read(old_gateway: RealGateway) -> None:
    async with connected(old_gateway) as connection:
        await provoke(old_gateway, connection)


async def test_older_command_prints_the_token(old_gateway: RealGateway) -> None:
    assert old_gateway.token in await old_gateway.command(*TOKEN_COMMANDS[1].split()[1:])


async def test_agent_of_an_old_gateway_runs_a_command(old_gateway: RealGateway) -> None:
    await play_command(old_gateway)
