"""The report about a gateway for people who set one up."""

import dataclasses
from typing import Any

from mission_control.gateways.connections.checked_connection import PURPOSES, Report, check
from mission_control.gateways.protocol.handshake import Identity
from tests.gateways.connecting import target
from tests.gateways.fake import FakeGateway
from tests.gateways.published import METHODS


async def report(gateway: FakeGateway, identity: Identity | None = None, **more: Any) -> Report:
    """What a check says."""
    return await check(target(gateway, **more), identity or Identity.new())


def problems(report: Report) -> dict[str, str]:
    """What is wrong, and what to do."""
    return {one.name: one.remedy for one in report.findings if not one.is_fine}


async def test_all_is_well(fake_gateway: FakeGateway) -> None:
    found = await report(fake_gateway)
    assert (found.state, found.version, found.protocol) == ("ok", "2026.9.6", 4)
    assert "operator.admin" in found.scopes and problems(found) == {}
    assert [one.method for one in fake_gateway.calls] == ["config.get"] and set(PURPOSES) <= set(METHODS)


async def test_pairing_names_device_request_and_command(fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    identity = Identity.new()
    found = await report(fake_gateway, identity)
    (device,) = fake_gateway.state.devices.values()
    assert (found.state, found.device_id, found.request_id) == ("pairing", identity.device_id, device.request_id)
    assert problems(found)["Pairing"] == f"Run on the gateway's host: openclaw devices approve {device.request_id}"
    fake_gateway.approve()
    assert (await report(fake_gateway, identity)).state == "ok"


async def test_what_is_refused_says_what_to_do(fake_gateway: FakeGateway) -> None:
    wrong = await report(fake_gateway, token="a-wrong-one")
    assert (wrong.state, wrong.code) == ("refused", "AUTH_TOKEN_MISMATCH") and "auth-token --show" in problems(wrong)[
        "Token"
    ]
    fake_gateway.granted_scopes = ["operator.read"]
    less = await report(fake_gateway)
    assert less.scopes == ("operator.read",) and less.version == "2026.9.6" and "Scopes" in problems(less)
    fake_gateway.granted_scopes = None
    fake_gateway.version = "2026.1.1"
    old = await report(fake_gateway)
    assert "openclaw update" in problems(old)["Version"] and old.version == "2026.1.1"


async def test_gateway_without_some_methods(fake_gateway: FakeGateway) -> None:
    fake_gateway.missing_methods = {"question.resolve"}
    found = await report(fake_gateway)
    (lacking,) = [one for one in found.findings if not one.is_fine]
    assert found.state == "ok" and lacking.sentence.endswith("answering questions of agents")


async def test_nothing_listens_and_something_else_listens(fake_gateway: FakeGateway) -> None:
    await fake_gateway.stop()
    found = await report(fake_gateway)
    assert (found.state, found.code) == ("unreachable", "REFUSED") and "running" in problems(found)["Connection"]


async def test_no_report_holds_a_secret(fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    identity = Identity.new()
    await report(fake_gateway, identity)
    device = fake_gateway.approve()
    found = await report(fake_gateway, identity)
    assert device.token is not None
    assert fake_gateway.token not in repr(dataclasses.asdict(found)) and device.token not in repr(found)
