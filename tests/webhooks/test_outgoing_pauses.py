"""Outgoing webhooks that are paused, end, go on, or send something again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.core import times
from mission_control.core.actor import system
from mission_control.events.commands import atomically
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing import queue as outgoing_queue
from mission_control.webhooks.outgoing import sending
from mission_control.webhooks.outgoing.settling import FAILING_FOR, PAUSES, Attempt, settle
from tests.cast import Cast
from tests.outgoing import make, of, read, send, sent_by, types
from tests.outside import Receiver

pytestmark = pytest.mark.dialect

BROKEN, GONE = "500 Oh", "410 Gone"


async def test_gone_receiver_ends_the_webhook(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    receiver.answers = [GONE]
    assert await send() == 1
    shown = await read(cast, hook)
    assert (shown["state"], shown["reason"]) == ("gone", "The receiver answered with status 410.")
    await cast.add_task(title="Three")
    assert await send(hours=1) == 0
    [event] = (await cast.ada.get("/activity?kind=outgoing_webhook.gone")).ok()["items"]
    assert event["actor"]["name"] == "Mission Control"
    assert not outgoing_queue.known.may_send(cast.organization.id)
    [need] = (await cast.ada.get("/needs?kind=outgoing_webhook")).ok()["items"]
    assert need["title"] == "Webhook Warehouse was ended by its receiver"
    (await cast.ada.post(f"/needs/{need['id']}/answers", {"answer": "delete"})).ok()
    assert (await cast.ada.get("/needs?kind=outgoing_webhook")).ok()["items"] == []
    (await cast.ada.get(of(hook))).refused(404)


async def test_long_failing_webhook_is_paused_asks_admins_and_sends_what_was_missed_when_resumed(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task.created")
    receiver.answers = ["503 Down"] * 50
    await cast.add_task(title="One")
    await send()
    assert (await read(cast, hook))["failing_since"] is not None
    await cast.add_task(title="Two")
    await send(hours=25)
    shown = await read(cast, hook)
    assert (shown["state"], shown["reason"]) == ("failed", "The receiver answered with status 503.")
    tried = len(receiver.got)
    await cast.add_task(title="Three")
    assert await send(hours=50) == 0 and len(receiver.got) == tried
    receiver.answers = []
    with times.travelled(timedelta(hours=51)):
        (await cast.ada.post(f"{of(hook)}/tests")).ok()  # its answer is none to what waits
    [need] = (await cast.ada.get("/needs?kind=outgoing_webhook")).ok()["items"]
    assert need["title"] == "Webhook Warehouse is paused: 503"
    assert [one["label"] for one in need["answers"]] == ["Resume", "Resume from now on"]
    assert (await cast.cleo.get("/needs?kind=outgoing_webhook")).ok()["items"] == []
    receiver.answers = []
    (await cast.ada.post(f"/needs/{need['id']}/answers", {"answer": "resume"})).ok()
    assert (await cast.ada.get("/needs?kind=outgoing_webhook")).ok()["items"] == []
    before = len(receiver.got)
    await send(hours=26)
    assert [one["data"]["message"] for one in receiver.items[before:]] == [
        "Task created: One.",
        "Task created: Two.",
        "Task created: Three.",
    ]
    assert {one["state"] for one in await sent_by(cast, hook)} == {"sent"}
    assert (await read(cast, hook))["failing_since"] is None


async def test_five_given_up_messages_in_a_row_pause_a_webhook(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in "abcdef":
        await cast.add_task(title=title)
    await send()
    await OutgoingDelivery.filter(webhook_id=hook["id"]).update(state="waiting", attempts=len(PAUSES))
    receiver.answers = [BROKEN] * 6
    await send()
    assert (await read(cast, hook))["state"] == "failed"
    assert [one["state"] for one in await sent_by(cast, hook)] == ["failed"] * 5 + ["waiting"]


async def test_paused_webhook_goes_on_with_what_was_missed_or_from_now_on(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hooks = [await make(cast, receiver, "task.created", description=name) for name in ("All", "New")]
    for hook in hooks:
        assert (await cast.ada.post(f"{of(hook)}/pauses")).ok()["state"] == "paused"
    await cast.add_task(title="One")
    assert await send() == 0
    (await cast.ada.post(f"{of(hooks[0])}/resumptions", {})).ok()
    (await cast.ada.post(f"{of(hooks[1])}/resumptions", {"skip_missed": True})).ok()
    await cast.add_task(title="Two")
    await send()
    assert [len(await sent_by(cast, hook)) for hook in hooks] == [2, 1]


async def test_failing_webhook_tries_everything_at_once_when_somebody_says_so(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    receiver.answers = [BROKEN] * 2
    assert await send() == 2 and await send() == 0
    assert (await cast.ada.post(f"{of(hook)}/resumptions", {})).ok()["failing_since"] is None
    assert await send() == 2
    assert {one["state"] for one in await sent_by(cast, hook)} == {"sent"}
    before = (await read(cast, hook))["updated_at"]
    (await cast.ada.post(f"{of(hook)}/resumptions", {})).ok()
    assert (await read(cast, hook))["updated_at"] == before


async def test_message_is_sent_again_with_its_id(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task()
    await send()
    [sent] = await sent_by(cast, hook)
    again = (await cast.ada.post(f"{of(hook)}/deliveries/{sent['id']}/resends")).ok()
    assert again["is_replay"] and again["message_id"] == sent["message_id"]
    (await cast.ada.post(f"{of(hook)}/deliveries/{sent['id']}/resends")).refused(409)
    await send()
    [first, second] = receiver.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"] and first[1] == second[1]


async def test_everything_since_a_moment_is_sent_again(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task(title="Old")
    since = times.clock_now() + timedelta(hours=1)
    with times.travelled(timedelta(hours=2)):
        for title in ("One", "Two"):
            await cast.add_task(title=title)
    assert await send(hours=2) == 3
    (await cast.ada.post(f"{of(hook)}/resends", {"since": times.wire(since)})).ok()
    with times.travelled(timedelta(hours=3)):
        await cast.add_task(title="Three")
    await send(hours=3)
    sent = [one["data"]["message"].removeprefix("Task created: ") for one in receiver.items[3:]]
    assert sent == ["One.", "Two.", "Three."]
    assert [one["is_replay"] for one in await sent_by(cast, hook)] == [False, False, False, True, True, False]
    (await cast.ada.post(f"{of(hook)}/resends", {"since": "2999-01-01T00:00:00Z"})).ok()
    assert await send(hours=3) == 0


async def test_what_a_receiver_gets_again_no_other_gets_again(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    one, other = [await make(cast, receiver, "task.created", description=name) for name in ("Again", "Once")]
    await cast.add_task(title="Sent to both")
    assert await send() == 2
    since = times.wire(times.clock_now() - timedelta(minutes=1))
    (await cast.ada.post(f"{of(one)}/resends", {"since": since})).ok()
    await cast.add_task(title="Sent to both, too")
    assert await send() == 3
    assert [one["is_replay"] for one in await sent_by(cast, one)] == [False, True, False]
    assert [one["is_replay"] for one in await sent_by(cast, other)] == [False, False]


@pytest.mark.parametrize(("answer", "state", "kind"), [
    (BROKEN, "paused", "outgoing_webhook.failed"), (GONE, "gone", "outgoing_webhook.gone")
])  # fmt: skip
async def test_of_a_webhook_that_is_paused_during_an_attempt_only_the_end_counts(
    cast: Cast, receiver: Receiver, by_hand: None, answer: str, state: str, kind: str
) -> None:
    hook = await make(cast, receiver, "task.created")
    long_ago = times.clock_now() - FAILING_FOR
    await OutgoingWebhook.filter(id=hook["id"]).update(failing_since=long_ago)
    await cast.add_task()
    receiver.answers = [answer]
    receiver.gate.clear()
    await sending.look()
    async with asyncio.timeout(60):
        while not receiver.got:
            await asyncio.sleep(0.005)
    (await cast.ada.post(f"{of(hook)}/pauses")).ok()
    receiver.gate.set()
    await asyncio.gather(*sending.SENDING.tasks)
    assert (await read(cast, hook))["state"] == state
    events = (await cast.ada.get(f"/activity?kind={kind}")).ok()["items"]
    assert len(events) == (state == "gone")


async def test_webhook_ends_once(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    """Two processes may hear from its receiver at the same time that it is gone."""
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    await outgoing_queue.queue_next()
    webhook = await OutgoingWebhook.get(id=hook["id"])
    for delivery in await OutgoingDelivery.filter(webhook_id=webhook.id):
        delivery.state = "sending"
        await delivery.save()
        await settle(system(cast.organization.id), webhook, delivery, Attempt(error="Gone.", is_gone=True))
    assert len((await cast.ada.get("/activity?kind=outgoing_webhook.gone")).ok()["items"]) == 1


async def test_webhook_that_stays_paused_keeps_so_much_and_no_more(
    cast: Cast, receiver: Receiver, by_hand: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(outgoing_queue, "MOST_WAITING", 2)
    paused = await make(cast, receiver, "need.opened")
    on = await make(cast, receiver, "need.opened", description="On")
    (await cast.ada.post(f"{of(paused)}/pauses")).ok()

    async def open_needs() -> None:
        for number in range(4):
            await outgoing_queue.queue(cast.organization.id, cast.board.id, "need.opened", {"title": f"{number}"})

    await atomically(system(cast.organization.id), open_needs)
    assert ((await read(cast, paused))["waiting"], (await read(cast, on))["waiting"]) == (2, 4)
    (await cast.ada.post(f"{of(paused)}/resumptions", {})).ok()
    assert await send() == 6


async def test_board_in_the_trash_sends_nothing_until_it_is_restored(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task", "board")
    await cast.add_task()
    (await cast.ada.delete(cast.home)).ok()
    assert await send() == 0
    (await cast.ada.post(f"{cast.home}/restorations")).ok()
    await send()
    assert types(receiver) == ["task.created", "board.deleted", "board.restored"]
    assert {one["state"] for one in await sent_by(cast, hook)} == {"sent"}
