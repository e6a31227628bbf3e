"""Connections that are kept up: what is stored of them, and how they come back."""

import asyncio
from typing import Any

import pytest

from mission_control.core.actor import system
from mission_control.core.errors import Forbidden
from mission_control.core.values import new_id
from mission_control.database.sql import rows
from mission_control.gateways.connections import connector, events, link
from mission_control.gateways.connections.events import GatewayRef
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol import identity
from mission_control.gateways.protocol.errors import GatewayError, Unreachable
from mission_control.gateways.queries import Report
from tests.cast import Cast
from tests.cast import events as recorded
from tests.gateways.fake import FakeGateway
from tests.gateways.gateways import add_gateway, connected_gateway, state_of, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "PAIRING_POLL_SECONDS", 0.02)
    monkeypatch.setattr(link, "REFUSED_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "SHORT_INTERRUPTION_SECONDS", 0.0)


async def test_stores_what_the_gateway_says_of_itself(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    assert (gateway.version, gateway.protocol, gateway.role) == ("2026.9.6", 4, "operator")
    assert "operator.admin" in gateway.scopes and "chat.send" in gateway.methods
    assert gateway.boot_id == fake_gateway.boot_id and gateway.connected_at is not None and gateway.last_error is None
    assert await connector.call(gateway.id, "health")


async def test_nothing_is_written_while_a_gateway_stays_away(cast: Cast, fake_gateway: FakeGateway) -> None:
    await fake_gateway.stop()
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    first = await state_of(gateway.id, "unreachable")
    assert first.state_code == "refused" and "Nothing listens" in str(first.last_error)
    await asyncio.sleep(0.3)  # several attempts
    again = await Gateway.get(id=gateway.id)
    assert again.state_at == first.state_at
    kinds = [one.kind for one in await recorded(organization_id=cast.organization.id)]
    assert kinds.count("gateway.unreachable") == 1


@pytest.mark.parametrize("code", [1012, 1006, 1013])
async def test_connects_again_after_a_lost_connection(cast: Cast, fake_gateway: FakeGateway, code: int) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    before = len(fake_gateway.connects)
    await fake_gateway.drop(code)
    await until(lambda: len(fake_gateway.connects) > before)
    await state_of(gateway.id, "connected")
    assert await until(lambda: gateway.id in connector.held_here())


async def test_waits_for_a_gateway_that_starts(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.unavailable, fake_gateway.sidecars_starting = 2, 2
    gateway = await connected_gateway(cast, fake_gateway)
    assert gateway.state == "connected"


async def test_restart_is_told_as_one(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await fake_gateway.stop()
    await state_of(gateway.id, "unreachable")
    await fake_gateway.start()
    again = await state_of(gateway.id, "connected", boot_id=fake_gateway.boot_id)
    assert again.last_error is None
    kinds = [
        one.kind for one in await recorded(organization_id=cast.organization.id) if one.kind.startswith("gateway.")
    ]
    assert kinds == ["gateway.connected", "gateway.unreachable", "gateway.connected"]


async def test_gateway_that_comes_and_goes_does_not_fill_the_log(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_AN_HOUR", 3)
    gateway = await connected_gateway(cast, fake_gateway)
    for _ in range(3):
        await fake_gateway.stop()
        await state_of(gateway.id, "unreachable")
        await fake_gateway.start()
        await state_of(gateway.id, "connected", boot_id=fake_gateway.boot_id)
    found = await recorded(organization_id=cast.organization.id, subject_id=gateway.id)
    assert len([one for one in found if one.kind in ("gateway.connected", "gateway.unreachable")]) == 3


async def test_wrong_token_is_named_and_the_right_one_used_at_once(cast: Cast, fake_gateway: FakeGateway) -> None:
    wrong = identity.sealed("not the token")
    gateway = await add_gateway(cast, fake_gateway, token=wrong)
    connector.HOLDING.wake()
    refused = await state_of(gateway.id, "refused")
    assert "token" in str(refused.last_error) and fake_gateway.token not in str(refused.last_error)
    await Gateway.filter(id=gateway.id).update(token=identity.sealed(fake_gateway.token))
    connector.HOLDING.wake()
    await state_of(gateway.id, "connected")


async def test_missing_scopes_are_named(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.granted_scopes = ["operator.read"]
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    refused = await state_of(gateway.id, "refused", state_code="missing_scopes")
    assert "operator.write" in str(refused.last_error) and refused.scopes == ["operator.read"]
    assert gateway.id not in connector.held_here()


async def test_too_old_is_refused(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.version = "2025.12.1"
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    refused = await state_of(gateway.id, "refused", state_code="too_old")
    assert "2025.12.1" in str(refused.last_error)


async def test_pairing_is_shown_and_ends_without_a_click(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = True
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    waiting = await state_of(gateway.id, "pairing")
    (device,) = fake_gateway.state.devices.values()
    assert (waiting.pairing_request_id, waiting.pairing_device_id) == (device.request_id, device.device_id)
    assert waiting.pairing_device_id == await identity.device_id() and waiting.state_code == "not-paired"
    fake_gateway.approve()
    paired = await state_of(gateway.id, "connected")
    assert paired.pairing_request_id is None
    assert identity.opened(paired.device_token) == device.token
    assert device.token is not None and device.token not in str(paired.device_token)


async def test_pairing_is_waited_for_where_the_gateway_tells(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PAIRING_POLL_SECONDS", 3600.0)
    fake_gateway.needs_pairing = fake_gateway.waits_for_pairing = True
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    await state_of(gateway.id, "pairing")
    fake_gateway.approve()
    await state_of(gateway.id, "connected")


async def test_rejected_pairing_says_so_and_can_be_asked_again(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = fake_gateway.waits_for_pairing = True
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    first = await state_of(gateway.id, "pairing")
    fake_gateway.reject()
    refused = await state_of(gateway.id, "refused", state_code="pairing_rejected")
    assert "rejected" in str(refused.last_error)
    connector.retry(f"{connector.RETRY}:{gateway.id}")
    again = await state_of(gateway.id, "pairing")
    assert again.pairing_request_id != first.pairing_request_id


async def test_expired_pairing_is_asked_again_and_says_so(cast: Cast, fake_gateway: FakeGateway) -> None:
    fake_gateway.needs_pairing = fake_gateway.waits_for_pairing = True
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    first = await state_of(gateway.id, "pairing")
    fake_gateway.reject(decision="expired")
    again = await until(lambda: _other_request(gateway, str(first.pairing_request_id)))
    assert again.last_error.startswith("Nobody approved the request before this one in time.")


async def _other_request(gateway: Gateway, request_id: str) -> Gateway | None:
    return await Gateway.exclude(pairing_request_id=request_id).get_or_none(id=gateway.id, state="pairing")


async def test_replaced_pairing_says_so_where_it_is_polled_and_waits_for_a_person(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "PAIRING_POLL_SECONDS", 0.02)
    monkeypatch.setattr(link, "SHORTEST_PAIRING_SECONDS", 0.0)
    fake_gateway.needs_pairing = True
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    first = await state_of(gateway.id, "pairing")
    fake_gateway.reject()
    again = await until(lambda: _other_request(gateway, str(first.pairing_request_id)))
    assert again.last_error.startswith("The request before this one")
    await asyncio.sleep(0.1)  # polls meet the same request, and what was said stays
    assert (await Gateway.get(id=gateway.id)).last_error == again.last_error
    fake_gateway.reject()  # a second time: now a person has to try again
    asked = len(fake_gateway.connects)
    await asyncio.sleep(0.1)
    assert len(fake_gateway.connects) == asked
    connector.retry(f"{connector.RETRY}:{gateway.id}")
    assert (await until(lambda: _other_request(gateway, again.pairing_request_id))).state == "pairing"


@pytest.mark.parametrize(
    ("reason", "words"), [("scope-upgrade", "more rights"), ("metadata-upgrade", "changed since it was approved")]
)
async def test_upgrade_that_needs_approval_says_why(
    cast: Cast, fake_gateway: FakeGateway, reason: str, words: str
) -> None:
    details = {"code": "PAIRING_REQUIRED", "reason": reason, "requestId": "req-7", "deviceId": "d"}
    fake_gateway.connect_error = {"message": "pairing required", "code": "NOT_PAIRED", "details": details}
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    waiting = await state_of(gateway.id, "pairing", state_code=reason)
    assert words in str(waiting.last_error) and waiting.pairing_request_id == "req-7"


async def test_denied_access_says_so(cast: Cast, fake_gateway: FakeGateway) -> None:
    details = {"code": "OPERATOR_ACCESS_DENIED"}
    fake_gateway.connect_error = {"message": "denied", "code": "FORBIDDEN", "details": details}
    gateway = await add_gateway(cast, fake_gateway)
    connector.HOLDING.wake()
    refused = await state_of(gateway.id, "refused", state_code="operator_access_denied")
    assert "role" in str(refused.last_error)


async def test_stale_holder_stores_nothing(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await Gateway.filter(id=gateway.id).update(holder="another process", held_until=None)
    late = Report("unreachable", "timeout", "It was me.")
    assert not await link.store_report(system(cast.organization.id), gateway.id, late)
    assert (await Gateway.get(id=gateway.id)).state == "connected"


async def test_people_cannot_report(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await add_gateway(cast, fake_gateway)
    with pytest.raises(Forbidden):
        await link.store_report(await cast.ada.actor(), gateway.id, Report("connected"))


async def test_lost_gateway_is_disconnected(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await Gateway.filter(id=gateway.id).delete()
    connector.HOLDING.wake()
    await until(lambda: not fake_gateway.clients)
    with pytest.raises(Unreachable, match="deleted"):
        await connector.call(gateway.id, "health")


async def test_rename_keeps_the_connection(cast: Cast, fake_gateway: FakeGateway) -> None:
    gateway = await connected_gateway(cast, fake_gateway)
    await Gateway.filter(id=gateway.id).update(name="Attic")
    connector.HOLDING.wake()
    await asyncio.sleep(0.1)
    assert len(fake_gateway.connects) == 1 and gateway.id in connector.held_here()


async def test_bad_gateway_disturbs_no_other(cast: Cast, fake_gateway: FakeGateway) -> None:
    for number in range(20):
        await add_gateway(cast, fake_gateway, name=f"bad {number}", url="ws://127.0.0.1:9")
    await add_gateway(cast, fake_gateway, name="no URL", url="ws://[")
    gateway = await connected_gateway(cast, fake_gateway)
    assert await connector.call(gateway.id, "health")
    broken = await until(lambda: Gateway.get_or_none(name="no URL", state="refused"))
    assert broken.state_code == "invalid_url"


async def test_events_are_handled_in_order_behind_the_connection(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    async def begin(gateway: GatewayRef) -> None:
        await asyncio.sleep(0.05)
        seen.append("connected")

    async def fail(gateway: GatewayRef, payload: Any) -> None:
        raise ValueError("a handler of another feature")

    async def note(gateway: GatewayRef, payload: Any) -> None:
        assert gateway.organization_id == cast.organization.id
        seen.append(payload["n"])

    monkeypatch.setattr(events.when_connected, "functions", [begin])
    monkeypatch.setitem(events.HANDLERS, "test.event", [fail, note])
    await connected_gateway(cast, fake_gateway)
    for n in range(20):
        await fake_gateway.emit("test.event", {"n": n})
    await until(lambda: len(seen) >= 21)
    assert seen == ["connected", *range(20)]


async def test_identity_is_made_once(cast: Cast) -> None:
    made = await asyncio.gather(*(identity.identity() for _ in range(5)))
    assert len({one.device_id for one in made}) == 1
    [row] = await rows("SELECT private_key, device_id FROM gateway_identity")
    assert row["device_id"] == made[0].device_id
    assert made[0].private_bytes.hex() not in row["private_key"]


async def test_identity_of_another_secret_key_is_kept_and_named(
    cast: Cast, fake_gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = (await identity.identity()).device_id
    monkeypatch.setattr(identity._kept, "key", "another-secret-key-that-is-long-enough")
    with pytest.raises(GatewayError, match="SECRET_KEY"):
        await identity.identity()
    assert await identity.device_id() == device


async def test_call_to_an_unknown_gateway_fails_at_once(cast: Cast) -> None:
    with pytest.raises(Unreachable, match="deleted"):
        await connector.call(new_id(), "health", seconds=3600)
