"""Gateways at private addresses, and what organizations that were not here first learn by trying some."""

import asyncio
from typing import Any

import pytest

from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from mission_control.gateways.protocol.identity import OUT_OF_REACH, all_may_be_reached
from tests.cast import Cast, Person
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import state_of, until

CLOSED, UNKNOWN, METADATA = "ws://0x7f.1:9", "ws://nothing.invalid:80", "ws://2852039166:80"
PRIVATE = ("127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd00::1")


@pytest.mark.parametrize("setting", [None, True, False])
async def test_setting_and_age_of_the_organization_decide(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, setting: bool | None
) -> None:
    """Another organization changes nothing for the one that was made first."""
    monkeypatch.setattr(identity._kept, "allow_private", setting)
    for organization, is_allowed in ((cast.organization, setting is not False), (cast.elsewhere, bool(setting))):
        for one in PRIVATE:
            assert await all_may_be_reached(organization.id, [one]) is is_allowed
        assert not await all_may_be_reached(organization.id, ["203.0.113.1", "169.254.169.254"])
        assert await all_may_be_reached(organization.id, ["1.1.1.1"])


async def tried(person: Person, url: str) -> Any:
    """What a person learns about an address: by adding a gateway, and by asking for the status of one."""
    body = {"name": "Scan", "url": url, "workspace_root": "~", "token": "a-token"}
    answer = await person.post("/gateways", body)
    status = (await person.get(f"/gateways/status?gateway_url={url}&gateway_token=t")).ok()["error"]
    if answer.status != 200:
        return answer.status, answer.detail, status
    row = answer.body
    (await person.delete(f"/gateways/{row['id']}")).ok()
    return row["state"], row["state_code"], row["last_error"], status


@pytest.mark.parametrize("is_allowed", [True, False])
async def test_other_organizations_learn_nothing_of_the_network(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, is_allowed: bool
) -> None:
    monkeypatch.setattr(identity._kept, "allow_private", is_allowed)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    other = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        found = [await tried(cast.eve, url) for url in (CLOSED, UNKNOWN, METADATA, other)]
        unreached, refused = (
            ("unreachable", "unreachable", OUT_OF_REACH, OUT_OF_REACH),
            (422, found[2][1], OUT_OF_REACH),
        )
        typed = unreached if is_allowed else refused  # whatever listens there
        assert found == [typed, unreached, refused, typed]
        assert len({str(await tried(cast.ada, url)) for url in (CLOSED, UNKNOWN, METADATA)}) == (3 if is_allowed else 2)
    if not is_allowed:
        assert await tried(cast.eve, fake_gateway.url) == found[0] and not fake_gateway.connects


async def test_connector_tells_them_no_more(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity._kept, "allow_private", False)
    rows = [
        await Gateway.create(organization_id=cast.elsewhere.id, name="Scan", url=url, workspace_root="~")
        for url in (CLOSED, UNKNOWN, fake_gateway.url)
    ]
    connector.HOLDING.wake()
    for row in rows:
        found = await state_of(row.id, "unreachable")
        assert (found.state_code, found.last_error) == ("unreachable", OUT_OF_REACH)
    ours = await Gateway.create(organization_id=cast.organization.id, name="Own", url=CLOSED, workspace_root="~")
    connector.HOLDING.wake()
    assert await until(lambda: Gateway.exists(id=ours.id, state_code="address_refused"))
    assert "GATEWAYS_ALLOW_PRIVATE" in str((await Gateway.get(id=ours.id)).last_error)
