"""Notices sent to callbacks: signed, in order, retried, given up, and retried by admins."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest
from quart import Quart
from standardwebhooks import Webhook, WebhookVerificationError

from mission_control.agents import inbox
from mission_control.agents.models import Agent
from mission_control.background.sending import MOST_ATTEMPTS
from mission_control.core import times
from mission_control.core.secrets import encrypt
from mission_control.events.leases import Delivery
from tests.cast import Cast, Program, events, head
from tests.deliveries import look_away, send_due
from tests.outside import Receiver, a_receiver
from tests.settings import having

pytestmark = pytest.mark.dialect

SECRET = "a secret of sixteen characters"
BROKEN, GONE = "500 Oh", "410 Gone"


@pytest.fixture
async def receiver(app: Quart) -> AsyncIterator[Receiver]:
    async with a_receiver(app, "/hook?for=vega") as found:
        yield found


@pytest.fixture
async def by_hand(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the application's own loop, so that the test sends."""
    await look_away(monkeypatch)


def path(cast: Cast) -> str:
    return f"/agents/{cast.vega.id}/callback"


async def set_callback(cast: Cast, receiver: Receiver, agent: Program | None = None) -> None:
    """Set a callback for Vega, or for another agent."""
    where = f"/agents/{(agent or cast.vega).id}/callback"
    (await cast.ada.call("PUT", where, {"url": receiver.url, "secret": SECRET})).ok()


async def later(hours: float = 1) -> int:
    """Send what is due some hours from now. Return how much that was."""
    with times.travelled(timedelta(hours=hours)):
        return await send_due()


async def states(cast: Cast) -> list[str]:
    """Return the states of Vega's notices, in order."""
    return [one.state for one in await Delivery.filter(agent_id=cast.vega.id).order_by("seq")]


async def until(cast: Cast, *wanted: str) -> None:
    """Wait until Vega's notices are in these states."""
    async with asyncio.timeout(60):
        while await states(cast) != list(wanted):
            await asyncio.sleep(0.005)


async def notify(cast: Cast, count: int = 1) -> None:
    """Notify Vega of new tasks."""
    for number in range(count):
        await cast.add_task(title=f"Task {number}", assigned_agent_id=cast.vega.id)


async def test_notice_is_sent_at_once_and_signed(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    await until(cast, "sent")
    [(headers, body)] = receiver.got
    stored = await Delivery.get(agent_id=cast.vega.id)
    assert headers[""] == "POST /hook?for=vega HTTP/1.1"
    assert (headers["content-type"], headers["x-mission-control-delivery"]) == ("application/json", str(stored.id))
    assert Webhook(SECRET.encode()).verify(body, headers) == orjson.loads(body)
    text = headers["x-mission-control-timestamp"]
    assert text == headers["webhook-timestamp"] and headers["webhook-id"] == str(stored.id)
    wanted = hmac.new(SECRET.encode(), f"{text}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-mission-control-signature"] == f"sha256={wanted}"
    assert list(orjson.loads(body)) == [
        "seq", "id", "kind", "header", "text", "task_id", "board_id", "data", "created_at",
    ]  # fmt: skip
    assert orjson.loads(body)["data"] == {}
    assert (await cast.vega.get("/agent/inbox")).ok()["items"] == []
    shown = (await cast.ada.get(path(cast))).ok()
    assert shown["last_success_at"] == times.wire(stored.sent_at) and shown["last_error"] is None
    assert [one.kind for one in await events(agent_id=cast.vega.id)][-1] == "task.assignee_notified"


async def test_notice_signed_with_a_new_secret_is_verified_by_the_standards_library(
    cast: Cast, receiver: Receiver
) -> None:
    made = (await cast.ada.call("PUT", path(cast), {"url": receiver.url})).ok()
    await notify(cast)
    await until(cast, "sent")
    [(headers, body)] = receiver.got
    assert Webhook(made["secret"]).verify(body, headers) == orjson.loads(body)
    assert not [name for name in headers if name.startswith("x-mission-control")]
    forged = {**headers, "webhook-id": "another"}
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    for changed, text in ((headers, body + b" "), (forged, body), (late, body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(made["secret"]).verify(text, changed)


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("secret", ["whsec_not-base64-at-all!", "whsec_dG9vIHNob3J0", "whsec_\u00e9 or not"])
async def test_secret_from_before_the_standard_signs_as_it_is(cast: Cast, receiver: Receiver, secret: str) -> None:
    await set_callback(cast, receiver)
    kept = encrypt(secret, cast.app.config["SECRET_KEY"])
    await Agent.filter(id=cast.vega.id).update(callback_secret=kept)
    await notify(cast)
    await send_due()
    [(headers, body)] = receiver.got
    signed = headers["x-mission-control-timestamp"].encode() + b"." + body
    expected = hmac.digest(secret.encode(), signed, hashlib.sha256).hex()
    assert headers["x-mission-control-signature"] == f"sha256={expected}"
    assert Webhook(secret.encode()).verify(body, headers) == orjson.loads(body)


@pytest.mark.usefixtures("by_hand")
async def test_retry_has_the_same_id_and_a_fresh_signature(cast: Cast, receiver: Receiver) -> None:
    made = (await cast.ada.call("PUT", path(cast), {"url": receiver.url})).ok()
    await notify(cast)
    receiver.answers = [BROKEN]
    await send_due()
    assert await later() == 1
    (first, _), (second, _) = receiver.got
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) >= 3600
    assert first["webhook-signature"] != second["webhook-signature"] and made["secret"].startswith("whsec_")


async def test_notice_is_the_item_of_the_inbox(cast: Cast, receiver: Receiver) -> None:
    await notify(cast, 2)
    items = (await cast.vega.get("/agent/inbox")).ok()["items"]
    await set_callback(cast, receiver)  # what waited goes out now
    await until(cast, "sent", "sent")
    assert receiver.items == items


@pytest.mark.usefixtures("by_hand")
async def test_notices_of_one_agent_are_sent_in_order(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast, 3)
    receiver.answers = [BROKEN]
    assert await send_due() == 1
    assert await states(cast) == ["waiting"] * 3
    assert await send_due() == 0  # the second waits for the first
    for _ in range(3):
        assert await later() == 1
    assert await states(cast) == ["sent"] * 3
    numbers = [one["seq"] for one in receiver.items]
    assert numbers[0] == numbers[1] and numbers[1:] == sorted(set(numbers))


async def test_slow_receiver_delays_nobody_else(cast: Cast, receiver: Receiver) -> None:
    receiver.gate.clear()
    await set_callback(cast, receiver)
    await notify(cast, 2)
    async with asyncio.timeout(60):
        while not receiver.got:
            await asyncio.sleep(0.005)
    other = Receiver()
    other.gate.set()
    server = await asyncio.start_server(other.handle, "127.0.0.1", 0)
    async with server:
        other.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await set_callback(cast, other, cast.rigel)
        await cast.add_task(assigned_agent_id=cast.rigel.id)
        async with asyncio.timeout(60):
            while not await Delivery.exists(agent_id=cast.rigel.id, state="sent"):
                await asyncio.sleep(0.005)
    assert await states(cast) == ["sending", "waiting"]
    receiver.gate.set()
    await until(cast, "sent", "sent")


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("status", [BROKEN, "302 Found", "404 Not Found", "429 Too Many"])
async def test_refused_notice_is_retried(cast: Cast, receiver: Receiver, status: str) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    receiver.answers = [status]
    await send_due()
    code = status.split()[0]
    shown = (await cast.ada.get(path(cast))).ok()
    assert (shown["last_error"], shown["waiting"]) == (f"The callback answered with status {code}.", 1)
    assert len((await cast.vega.get("/agent/inbox")).ok()["items"]) == 1
    assert await later() == 1
    assert await states(cast) == ["sent"] and len(receiver.got) == 2  # no redirect was followed
    shown = (await cast.ada.get(path(cast))).ok()
    assert (shown["last_error"], shown["waiting"]) == (None, 0)


@pytest.mark.usefixtures("by_hand")
async def test_failed_notice_stays_in_the_inbox_and_the_next_is_sent(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast, 2)
    receiver.answers = [BROKEN] * MOST_ATTEMPTS
    for attempt in range(MOST_ATTEMPTS):
        assert await later(attempt) == 1
    assert await states(cast) == ["failed", "waiting"]
    assert (await cast.ada.get(path(cast))).ok()["failed"] == 1
    assert await later() == 1
    assert await states(cast) == ["failed", "sent"]
    body = (await cast.vega.get("/agent/inbox")).ok()
    assert [one["seq"] for one in body["items"]] == [receiver.items[0]["seq"]]
    (await cast.vega.get(f"/agent/inbox?after={body['next']}")).ok()
    kinds = [one.kind for one in await events(agent_id=cast.vega.id) if "assignee" in one.kind]
    assert kinds == ["task.assignee_notify_failed", "task.assignee_notified", "task.assignee_notified"]


@pytest.mark.usefixtures("by_hand")
async def test_gone_callback_is_removed(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast, 2)
    before = await head(cast)
    receiver.answers = [GONE]
    await send_due()
    assert await later() == 0
    assert await states(cast) == ["failed", "waiting"] and len(receiver.got) == 1
    removed, failed = await events(before, organization_id=cast.organization.id)
    assert (removed.kind, removed.actor_kind, removed.agent_id) == ("agent.callback_removed", "system", cast.vega.id)
    assert orjson.loads(removed.data)["is_gone"] is True and failed.kind == "task.assignee_notify_failed"
    assert (await cast.ada.get(path(cast))).ok()["url"] is None
    assert len((await cast.vega.get("/agent/inbox")).ok()["items"]) == 2


@pytest.mark.usefixtures("by_hand")
async def test_callback_changed_concurrently_is_not_removed(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    receiver.gate.clear()
    receiver.answers = [GONE]
    sending = asyncio.create_task(send_due())
    async with asyncio.timeout(60):
        while not receiver.got:
            await asyncio.sleep(0.005)
    (await cast.ada.call("PUT", path(cast), {"url": "https://new.example.org"})).ok()
    receiver.gate.set()
    await sending
    assert (await Agent.get(id=cast.vega.id)).callback_url == "https://new.example.org"


@pytest.mark.usefixtures("by_hand")
async def test_notice_read_in_the_inbox_is_not_sent(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast, 2)
    upto = (await cast.vega.get("/agent/inbox")).ok()["next"]
    (await cast.vega.get(f"/agent/inbox?after={upto}")).ok()
    assert await later() == 0 and receiver.got == []
    assert (await cast.ada.get(path(cast))).ok()["last_success_at"] is None


@pytest.mark.usefixtures("by_hand")
async def test_notice_read_while_being_sent_is_recorded_once(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    receiver.gate.clear()
    sending = asyncio.create_task(send_due())
    async with asyncio.timeout(60):
        while not receiver.got:
            await asyncio.sleep(0.005)
    upto = (await cast.vega.get("/agent/inbox")).ok()["next"]
    (await cast.vega.get(f"/agent/inbox?after={upto}")).ok()
    receiver.gate.set()
    await sending
    kinds = [one.kind for one in await events(agent_id=cast.vega.id) if "assignee" in one.kind]
    assert (await states(cast), kinds) == (["sent"], ["task.assignee_notified"])


@pytest.mark.usefixtures("by_hand")
async def test_callbacks_to_private_addresses_are_refused(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    with having(cast.app, outbound_allow_private=False):
        await send_due()
    assert receiver.got == []
    error = (await cast.ada.get(path(cast))).ok()["last_error"]
    assert error == "The callback is at an address that may not be reached from here."


@pytest.mark.usefixtures("by_hand")
async def test_silent_callback_times_out(cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "SECONDS", 0.05)
    await set_callback(cast, receiver)
    await notify(cast)
    receiver.gate.clear()
    await send_due()
    assert (await cast.ada.get(path(cast))).ok()["last_error"] == "The callback did not answer in time."
    assert await states(cast) == ["waiting"]


@pytest.mark.usefixtures("by_hand")
async def test_deleted_board_sends_no_callbacks(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    (await cast.ada.delete(cast.home)).ok()
    assert await later() == 0
    (await cast.ada.post(f"{cast.home}/restorations")).ok()
    assert await later() == 1


@pytest.mark.usefixtures("by_hand")
async def test_failed_notice_can_be_retried(cast: Cast, receiver: Receiver) -> None:
    await set_callback(cast, receiver)
    await notify(cast)
    receiver.answers = [GONE]
    await send_due()
    await set_callback(cast, receiver)
    [failed] = (await cast.ada.get(f"/agents/{cast.vega.id}/deliveries")).ok()["items"]
    where, before = f"/agents/{cast.vega.id}/deliveries/{failed['id']}/resends", await head(cast)
    again = (await cast.ben.post(where)).ok()
    assert (again["state"], again["attempts"], again["id"]) == ("waiting", 0, failed["id"])
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_id, event.agent_id) == ("delivery.retried", cast.ben.id, cast.vega.id)
    assert orjson.loads(event.data) == {"delivery_id": failed["id"]}
    (await cast.ben.post(where)).refused_as(409, "delivery_not_failed")
    assert await send_due() == 1 and await states(cast) == ["sent"]
