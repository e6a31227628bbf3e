"""A gateway that an organization has already, under another address: it is refused, or found later and not used."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.gateways.connections import connector, link
from mission_control.gateways.models import Gateway
from tests.cast import Cast
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import add_gateway, connected_gateway, state_of, until
from tests.visitor import visitor

pytestmark = pytest.mark.dialect


def elsewhere(fake: FakeGateway) -> str:
    """Another address of the gateway."""
    return f"{fake.url}/elsewhere"


def wanted(fake: FakeGateway, **more: Any) -> dict[str, Any]:
    """The body of a new gateway."""
    return {"name": "Attic", "url": elsewhere(fake), "workspace_root": "~/.openclaw", "token": fake.token, **more}


async def test_second_address_is_refused_with_the_first_gateway(cast: Cast, fake_gateway: FakeGateway) -> None:
    first = await connected_gateway(cast, fake_gateway)
    assert first.instance_id == fake_gateway.device_id
    answer = await cast.ada.post("/gateways", wanted(fake_gateway))
    refused = answer.refused_as(409, "same_gateway")
    assert "the gateway Basement" in refused["message"] and refused["gateway_id"] == str(first.id)
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.post("/gateways/new", wanted(fake_gateway))).is_status(409)
    seen.has("One thing needs another look", f'href="/gateways/{first.id}"')
    assert await Gateway.all().count() == 1
    (await cast.eve.post("/gateways", wanted(fake_gateway))).ok()  # of another organization


async def test_address_of_another_gateway_cannot_be_entered(cast: Cast, fake_gateway: FakeGateway) -> None:
    first = await connected_gateway(cast, fake_gateway)
    async with FakeGateway() as other:
        second = await connected_gateway(cast, other, name="Attic")
        change = {"url": elsewhere(fake_gateway), "token": fake_gateway.token}
        (await cast.ada.patch(f"/gateways/{second.id}", change)).refused_as(409, "same_gateway")
        assert (await Gateway.get(id=second.id)).url == other.url
        # A gateway may get another address itself.
        (await cast.ada.patch(f"/gateways/{first.id}", change)).ok()
        await state_of(first.id, "connected", instance_id=fake_gateway.device_id)


async def test_of_two_at_once_one_is_used(cast: Cast, fake_gateway: FakeGateway) -> None:
    bodies = [wanted(fake_gateway), wanted(fake_gateway, url=fake_gateway.url, name="Basement")]
    answers = await asyncio.gather(*(cast.ada.post("/gateways", one) for one in bodies))
    assert sorted(one.status for one in answers) == [200, 409]
    [kept] = await Gateway.all()
    await state_of(kept.id, "connected")


async def test_gateway_that_is_found_later_is_not_used(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    first = await connected_gateway(cast, fake_gateway)
    second = await add_gateway(cast, fake_gateway, name="Attic", url=elsewhere(fake_gateway))
    connector.HOLDING.wake()
    found = await state_of(second.id, "refused", state_code="same_gateway", same_as_id=first.id)
    assert "the gateway Basement" in str(found.last_error) and found.instance_id is None
    await until(lambda: len(fake_gateway.clients) == 1)
    assert connector.held_here() == {first.id}
    shown = (await cast.ada.get(f"/gateways/{second.id}")).ok()
    assert shown["same_as_id"] == str(first.id)
    with times.travelled(timedelta(minutes=3)):
        [need] = (await cast.ada.get("/needs?kind=gateway")).ok()["items"]
    assert need["title"] == "Gateway Attic is here twice" and "delete" in need["reason"]
    (await cast.ada.delete(f"/gateways/{first.id}")).ok()
    await state_of(second.id, "connected", same_as_id=None, instance_id=fake_gateway.device_id)
