"""The operations of `/gateways`: what is tried, what is refused, and what is saved."""

from typing import Any

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.gateways.connections import connector, link
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from tests.cast import Cast, events
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import connected_gateway, state_of, until

CLOSED = "ws://127.0.0.1:9"


def wanted(fake: FakeGateway, **more: Any) -> dict[str, Any]:
    """The body of a new gateway."""
    return {"name": "Basement", "url": fake.url, "workspace_root": "~/.openclaw", "token": fake.token, **more}


async def with_main_agent(cast: Cast, gateway_id: Any) -> None:
    """A gateway has a main agent, without which no board may use it."""
    if not await Agent.exists(gateway_id=gateway_id, board_id=None):
        await Agent.create(
            organization_id=cast.organization.id, gateway_id=gateway_id, name="Basement Gateway Agent", board_id=None
        )


async def test_added_gateway_is_connected_and_keeps_its_token_to_itself(cast: Cast, fake_gateway: FakeGateway) -> None:
    body = (await cast.ada.post("/gateways", wanted(fake_gateway))).ok()
    assert (body["state"], body["version"], body["protocol"]) == ("connected", "2026.9.6", 4)
    assert body["token"] is None and body["has_token"] is True and body["missing_scopes"] == []
    assert (await cast.ada.get(f"/gateways/{body['id']}")).ok() == body
    [created] = await events(kind="gateway.created")
    row = await Gateway.get(id=body["id"])
    assert fake_gateway.token not in f"{body}{created.data}{created.message}{row.token}"
    assert row.id in connector.held_here()


async def test_list_is_newest_first(cast: Cast, fake_gateway: FakeGateway) -> None:
    for name in ("one", "two"):
        (await cast.ada.post("/gateways", wanted(fake_gateway, name=name, url=CLOSED))).ok()
    page = (await cast.ben.get("/gateways?limit=1")).ok()
    assert (page["items"][0]["name"], page["total"]) == ("two", 2)
    assert (await cast.eve.get("/gateways")).ok()["total"] == 0


async def test_unreachable_gateway_is_saved_with_the_reason(cast: Cast, fake_gateway: FakeGateway) -> None:
    body = (await cast.ada.post("/gateways", wanted(fake_gateway, url=CLOSED))).ok()
    assert body["state"] == "unreachable" and "Nothing listens" in body["last_error"]


async def test_gateway_that_asks_for_pairing_is_saved_with_the_command(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    body = (await cast.ada.post("/gateways", wanted(fake_gateway))).ok()
    (device,) = fake_gateway.state.devices.values()
    assert body["state"] == "pairing" and body["pairing_device_id"] == device.device_id
    assert body["pairing_command"] == f"openclaw devices approve {device.request_id}"


async def test_wrong_token_is_refused_and_nothing_saved(cast: Cast, fake_gateway: FakeGateway) -> None:
    answer = await cast.ada.post("/gateways", wanted(fake_gateway, token="wrong"))
    assert "token" in answer.refused_as(422, "gateway_token_refused")
    assert not await Gateway.exists()


async def test_too_old_gateway_is_refused(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.version = "2025.12.1"
    answer = await cast.ada.post("/gateways", wanted(fake_gateway))
    assert "2025.12.1" in answer.refused_as(422, "gateway_version_not_supported")
    assert not await Gateway.exists()


@pytest.mark.parametrize("url", ["http://gateway.example.org", "gateway", "", "ws://", "ws://user:secret@host:1"])
async def test_address_that_is_none_is_refused(cast: Cast, fake_gateway: FakeGateway, url: str) -> None:
    (await cast.ada.post("/gateways", wanted(fake_gateway, url=url))).refused(422)
    assert not await Gateway.exists()


@pytest.mark.parametrize("url", ["ws://169.254.169.254", "wss://[fd00:ec2::254]:443", "ws://[::ffff:169.254.169.254]"])
async def test_address_of_a_metadata_service_is_refused(cast: Cast, fake_gateway: FakeGateway, url: str) -> None:
    (await cast.ada.post("/gateways", wanted(fake_gateway, url=url))).refused_as(422, "gateway_address_refused")
    assert not await Gateway.exists()


async def test_what_follows_the_address_is_not_kept(cast: Cast, fake_gateway: FakeGateway) -> None:
    body = (await cast.ada.post("/gateways", wanted(fake_gateway, url=f"  {CLOSED}/?token=left-behind#x "))).ok()
    assert body["url"] == f"{CLOSED}/"


async def test_rename_connects_to_nothing(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    same = {"name": "Attic", "url": fake_gateway.url, "token": fake_gateway.token}
    body = (await cast.ada.patch(f"/gateways/{gateway.id}", same)).ok()
    assert (body["name"], body["state"]) == ("Attic", "connected") and len(fake_gateway.connects) == 1
    [changed] = await events(kind="gateway.updated")
    data = orjson.loads(changed.data)
    assert data["before"] == {"name": "Basement"} and data["after"] == {"name": "Attic"}


async def test_blank_token_keeps_the_saved_one(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    for token in ("  ", None):
        body = (await cast.ada.patch(f"/gateways/{gateway.id}", {"token": token})).ok()
        assert body["has_token"] is True
    assert not await events(kind="gateway.updated")
    body = (await cast.ada.patch(f"/gateways/{gateway.id}", {"clear_token": True, "url": CLOSED})).ok()
    assert body["has_token"] is False


async def test_new_address_is_used_at_once(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway, device_token=identity.sealed("of the gateway before"))
    async with FakeGateway() as other:
        other.token = fake_gateway.token
        body = (await cast.ada.patch(f"/gateways/{gateway.id}", {"url": other.url})).ok()
        assert body["state"] == "connected" and body["url"] == other.url
        await until(lambda: not fake_gateway.clients)
        assert "of the gateway before" not in f"{other.connects}"
        assert (await Gateway.get(id=gateway.id)).device_token is None


async def test_wrong_new_token_is_refused_and_the_connection_kept(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    (await cast.ada.patch(f"/gateways/{gateway.id}", {"token": "wrong"})).refused_as(422, "gateway_token_refused")
    assert gateway.id in connector.held_here() and (await Gateway.get(id=gateway.id)).token == gateway.token


async def test_check_connects_now(cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 3600.0)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 3600.0)
    await fake_gateway.stop()
    body = (await cast.ada.post("/gateways", wanted(fake_gateway))).ok()
    gateway = await state_of(body["id"], "unreachable")
    assert (await cast.ada.post(f"/gateways/{gateway.id}/checks")).ok()["state"] == "unreachable"
    await fake_gateway.start()
    assert (await cast.ada.post(f"/gateways/{gateway.id}/checks")).ok()["state"] == "connected"


async def test_gateway_with_boards_is_not_deleted_by_accident(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await with_main_agent(cast, gateway.id)
    (await cast.ada.patch(cast.home, {"gateway_id": str(gateway.id)})).ok()
    answer = await cast.ada.delete(f"/gateways/{gateway.id}")
    assert cast.board.name in answer.refused_as(409, "gateway_in_use")
    (await cast.ada.delete(f"/gateways/{gateway.id}?force=true")).ok()
    assert (await Board.get(id=cast.board.id)).gateway_id is None
    await until(lambda: not fake_gateway.clients)
    assert [one.kind for one in await events(kind__in=("gateway.deleted", "board.updated"))][-2:] == [
        "gateway.deleted", "board.updated",
    ]  # fmt: skip
    (await cast.ada.get(f"/gateways/{gateway.id}")).refused(404)


async def test_board_uses_only_a_gateway_of_its_organization_with_a_main_agent(
    cast: Cast, fake_gateway: FakeGateway
) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    foreign = await Gateway.create(organization_id=cast.elsewhere.id, name="x", url=CLOSED, workspace_root="")
    await with_main_agent(cast, gateway.id)
    (await cast.ada.patch(cast.home, {"gateway_id": str(foreign.id)})).refused(422)
    assert (await cast.ada.patch(cast.home, {"gateway_id": str(gateway.id)})).ok()["gateway_id"] == str(gateway.id)
    found = (await cast.ada.get(f"/boards?gateway_id={gateway.id}")).ok()
    assert [one["id"] for one in found["items"]] == [str(cast.board.id)]
    await Agent.filter(gateway_id=gateway.id, board_id=None).delete()
    (await cast.ada.patch(cast.home, {"name": "Renamed"})).ok()  # the rule is for a gateway that is sent
    (await cast.ada.patch(cast.home, {"gateway_id": str(gateway.id)})).refused(422)
    assert (await cast.ada.patch(cast.home, {"gateway_id": None})).ok()["gateway_id"] is None
