"""What outgoing webhooks send: signed, in order, tried again by the clock."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from quart import Quart
from standardwebhooks import Webhook, WebhookVerificationError

from mission_control.core import times
from mission_control.core.actor import system
from mission_control.events.commands import atomically
from mission_control.webhooks.models import OutgoingDelivery, OutgoingWebhook
from mission_control.webhooks.outgoing import queue as outgoing_queue
from mission_control.webhooks.outgoing import sending
from mission_control.webhooks.outgoing.settling import LEASES, PAUSES
from tests.cast import Cast
from tests.outgoing import HOOKS, make, of, read, send, sent_by, types, until, verified
from tests.outside import Receiver, a_receiver
from tests.statements import counted

pytestmark = pytest.mark.dialect

BROKEN, BUSY = "500 Oh", "429 Slow down\r\nRetry-After: 120"


async def test_event_is_sent_at_once_signed_as_the_activity_shows_it(cast: Cast, receiver: Receiver) -> None:
    hook = await make(cast, receiver, "task.created")
    task = await cast.add_task(title="Polish the lens")
    await until(hook, "sent")
    message = verified(hook["secret"], receiver.got[0])
    [event] = (await cast.ada.get("/activity?kind=task.created")).ok()["items"]
    assert message == {"type": "task.created", "timestamp": event["created_at"], "data": event}
    assert receiver.got[0][0]["webhook-id"] == event["id"] and message["data"]["task_id"] == task["id"]
    [sent] = await sent_by(cast, hook)
    assert (sent["message_id"], sent["seq"], sent["attempts"]) == (event["id"], event["seq"], 1)
    shown = await read(cast, hook)
    assert (shown["waiting"], shown["last_sent_at"], shown["failing_since"]) == (0, sent["ended_at"], None)
    detail = (await cast.ada.get(f"{of(hook)}/deliveries/{sent['id']}")).ok()
    assert detail["body"] == message


async def test_altered_message_and_other_secret_are_refused_by_the_library(cast: Cast, receiver: Receiver) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task()
    await until(hook, "sent")
    headers, body = receiver.got[0]
    for secret, text in ((hook["secret"], body + b" "), ((await make(cast, receiver))["secret"], body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(text, headers)


async def test_both_secrets_sign_after_a_rotation(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    rotated = (await cast.ada.post(f"{of(hook)}/secret-rotations")).ok()
    await cast.add_task()
    await send()
    for secret in (hook["secret"], rotated["secret"]):
        assert verified(secret, receiver.got[0])["type"] == "task.created"
    await cast.add_task()
    await send(hours=25)
    assert len(receiver.got[0][0]["webhook-signature"].split(" ")) == 2
    assert len(receiver.got[1][0]["webhook-signature"].split(" ")) == 1


async def test_board_and_kinds_decide_what_is_sent_in_the_order_of_the_log(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    await make(cast, receiver, "task.created", "approval.*")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    await cast.ask()
    (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()
    await send()
    assert types(receiver) == ["task.created", "task.created", "approval.requested"]
    numbers = [one["data"]["seq"] for one in receiver.items]
    assert numbers == sorted(numbers)


async def test_organizations_webhook_sends_all_boards_and_what_is_on_none(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    await make(cast, receiver, of_board=False)
    await cast.add_task()
    (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Elsewhere"})).ok()
    (await cast.ada.post("/tags", {"name": "Night", "slug": "night"})).ok()
    await send()
    assert types(receiver) == ["task.created", "task.created", "tag.created"]
    assert [one["data"]["board_id"] for one in receiver.items] == [str(cast.board.id), str(cast.other_board.id), None]


async def test_what_happens_elsewhere_and_what_happened_before_is_not_sent(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    await cast.add_task()
    await make(cast, receiver, of_board=False)
    (await cast.eve.post(f"/boards/{cast.foreign_board.id}/tasks", {"title": "Theirs"})).ok()
    await send()
    assert receiver.got == []


async def test_deleted_comment_is_sent_without_its_text(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.comment")
    task = await cast.add_task()
    said = (await cast.ada.post(f"{cast.task(task)}/comments", {"message": "The password is swordfish"})).ok()
    receiver.answers = [BROKEN]
    await send()
    (await cast.ada.delete(f"{cast.task(task)}/comments/{said['id']}")).ok()
    await send(minutes=1)
    assert [one["data"]["message"] for one in receiver.items] == ["The password is swordfish", None]
    stored = orjson.dumps(await OutgoingDelivery.all().values(), default=str)
    assert b"swordfish" not in stored and await sent_by(cast, hook)


async def test_failed_message_is_tried_by_the_schedule_with_the_same_id(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task()
    receiver.answers = [BROKEN] * (len(PAUSES) + 1)
    assert await send() == 1
    elapsed = 0.0
    for number, pause in enumerate(PAUSES, start=1):
        [one] = await sent_by(cast, hook)
        assert (one["state"], one["attempts"], one["status"], one["answer"]) == ("waiting", number, 500, "no")
        assert await send(seconds=elapsed + pause * 0.99) == 0
        elapsed += pause * 1.11
        assert await send(seconds=elapsed) == 1
    [one] = await sent_by(cast, hook)
    assert (one["state"], one["last_error"]) == ("failed", "The receiver answered with status 500.")
    assert await send(days=9) == 0
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1 and len(receiver.got) == len(PAUSES) + 1


async def test_one_message_that_is_not_taken_holds_up_no_other(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two", "Three"):
        await cast.add_task(title=title)
    receiver.answers = [BROKEN]
    await send()
    assert [one["state"] for one in await sent_by(cast, hook)] == ["waiting", "sent", "sent"]
    assert (await read(cast, hook))["waiting"] == 1
    await send(minutes=1)
    assert [one["state"] for one in await sent_by(cast, hook)] == ["sent"] * 3


async def test_retry_after_holds_back_the_receivers_messages_and_counts_as_no_attempt(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    receiver.answers = [BUSY]
    assert await send() == 1
    assert [(one["state"], one["attempts"]) for one in await sent_by(cast, hook)] == [("waiting", 0), ("waiting", 0)]
    await cast.add_task(title="Three")
    assert await send(seconds=110) == 0
    assert await send(seconds=130) == 3
    assert [one["state"] for one in await sent_by(cast, hook)] == ["sent"] * 3


async def test_redirect_is_not_followed(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task()
    receiver.answers = ["307 Elsewhere"]
    await send()
    [one] = await sent_by(cast, hook)
    assert (one["status"], one["last_error"]) == (
        307,
        "The receiver answered with status 307; redirects are not followed.",
    )
    assert len(receiver.got) == 1


async def test_receiver_that_does_not_answer_holds_up_only_itself(
    cast: Cast, app: Quart, receiver: Receiver, by_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.3)
    async with a_receiver(app) as slow:
        slow.gate.clear()
        silent, quick = await make(cast, slow, "task.created"), await make(cast, receiver, "task.created")
        await cast.add_task()
        await send()
        [one], [other] = await sent_by(cast, silent), await sent_by(cast, quick)
        assert (one["state"], one["last_error"], one["status"]) == (
            "waiting",
            "The receiver did not answer in time.",
            None,
        )
        assert other["state"] == "sent"


async def test_silent_receivers_of_one_organization_hold_up_no_other(
    cast: Cast, app: Quart, receiver: Receiver, by_hand: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much waits for them: the messages of others are due later, and leave at once all the same."""
    monkeypatch.setattr(sending, "AT_ONCE", 2 * sending.SHARE + 1)
    async with a_receiver(app) as silent:
        silent.gate.clear()
        failing = [await make(cast, silent, "task.created") for _ in range(sending.SHARE + 2)]
        ids = [one["id"] for one in failing]
        for _ in range(sending.SHARE + 2):
            await make(cast, silent, "task.created")
        await OutgoingWebhook.filter(id__in=ids).update(failing_since=times.clock_now())
        body = {"description": "Hers", "url": receiver.url, "kinds": ["task.created"]}
        hers = (await cast.eve.post(HOOKS, body)).ok()
        await cast.add_task()
        await outgoing_queue.queue_next()
        (await cast.eve.post(f"/boards/{cast.foreign_board.id}/tasks", {"title": "Hers"})).ok()
        await sending.look()
        taken = await OutgoingDelivery.filter(state="sending").values_list("webhook_id", flat=True)
        silent.gate.set()
        await asyncio.gather(*sending.SENDING.tasks)
        assert len(taken) == 2 * sending.SHARE + 1 and UUID(hers["id"]) in taken


async def test_change_of_kinds_counts_from_then_on(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "approval.*")
    await cast.add_task(title="Before")
    await cast.ask()
    (await cast.ada.patch(of(hook), {"kinds": ["task.created"]})).ok()
    await cast.add_task(title="After")
    await cast.ask()
    await send()
    assert types(receiver) == ["approval.requested", "task.created"]
    assert receiver.items[1]["data"]["message"] == "Task created: After."


async def test_what_is_in_no_log_is_queued_by_a_command(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    await make(cast, receiver, "need.opened")
    await make(cast, receiver, "need", of_board=False, description="Whole")
    await make(cast, receiver, "task.*", description="Tasks")

    async def open_need() -> None:
        data = {"need": "approval:01a2", "title": "Deploy?"}
        await outgoing_queue.queue(cast.organization.id, cast.board.id, "need.opened", data)

    await atomically(system(cast.organization.id), open_need)
    await send()
    assert types(receiver) == ["need.opened"] * 2
    assert receiver.items[0]["data"] == {"need": "approval:01a2", "title": "Deploy?"}
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


async def test_secret_that_the_receiver_repeats_is_cut_out(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    body = f"<b>bad</b> {hook['secret']} \x00"
    receiver.answers = [f"400 No\r\nConnection: close\r\n\r\n{body}"]
    await cast.add_task()
    await send()
    [one] = await sent_by(cast, hook)
    assert hook["secret"] not in one["answer"] and one["answer"].startswith("<b>bad</b> …")


async def test_long_answer_of_the_receiver_is_cut(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    receiver.answers = [f"200 OK\r\nConnection: close\r\n\r\n{'x' * 50_000}"]
    await cast.add_task()
    await send()
    [one] = await sent_by(cast, hook)
    assert (one["state"], one["answer"]) == ("sent", "x" * 2000)


async def test_webhook_that_is_deleted_during_an_attempt_leaves_nothing(
    cast: Cast, receiver: Receiver, by_hand: None
) -> None:
    hook = await make(cast, receiver, "task.created")
    await cast.add_task()
    receiver.gate.clear()
    await sending.look()
    async with asyncio.timeout(60):
        while not receiver.got:
            await asyncio.sleep(0.005)
    (await cast.ada.delete(of(hook))).ok()
    receiver.gate.set()
    await asyncio.gather(*sending.SENDING.tasks)
    assert not await OutgoingDelivery.exists() and not await OutgoingWebhook.exists()


async def test_organization_without_webhooks_costs_no_statement(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    outgoing_queue.forget()  # what another test left
    await sending.look()
    with counted() as found:
        await sending.look()
        await atomically(
            system(cast.organization.id), lambda: outgoing_queue.queue(cast.organization.id, None, "need.opened", {})
        )
    assert found == [] or {one.split()[0] for one in found} <= {"BEGIN", "COMMIT"}
    await make(cast, receiver)
    await send()
    with counted() as found:
        await sending.look()
    assert len(found) == 2


async def test_loops_that_begin_together_both_learn_that_there_are_webhooks(cast: Cast, receiver: Receiver) -> None:
    await make(cast, receiver)
    outgoing_queue.forget()
    assert all(await asyncio.gather(outgoing_queue.known.read(), outgoing_queue.known.read()))


async def test_two_processes_queue_and_send_once(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    for number in range(12):
        await cast.add_task(title=f"Task {number}")
    while await OutgoingDelivery.filter(webhook_id=hook["id"]).exclude(state="sent").exists() or not receiver.got:
        await asyncio.gather(sending.look(), sending.look())
        await asyncio.gather(*sending.SENDING.tasks)
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) == len(set(ids)) == 12


async def test_message_whose_process_died_is_sent_by_another(cast: Cast, receiver: Receiver, by_hand: None) -> None:
    hook = await make(cast, receiver, "task.created")
    for title in ("One", "Two"):
        await cast.add_task(title=title)
    await outgoing_queue.queue_next()
    [(taken, _)] = await LEASES.take(sending.NEXT, [], 50)
    assert await send() == 0
    assert await send(seconds=16) == 2
    assert [one["state"] for one in await sent_by(cast, hook)] == ["sent", "sent"]
    assert await LEASES.held(taken).exists() is False


async def test_old_messages_are_forgotten(cast: Cast, receiver: Receiver, by_hand: None, monkeypatch: Any) -> None:
    hook = await make(cast, receiver, "task.created")
    for number in range(4):
        await cast.add_task(title=f"Task {number}")
    await send()
    monkeypatch.setattr(sending, "MOST_KEPT", 3)
    await sending.forget_old()
    assert len(await sent_by(cast, hook)) == 3
    with times.travelled(timedelta(days=31)):
        await sending.forget_old()
    assert await sent_by(cast, hook) == []


async def test_slow_receivers_events_stay_in_the_log(
    cast: Cast, receiver: Receiver, by_hand: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(outgoing_queue, "MOST_WAITING", 2)
    monkeypatch.setattr(outgoing_queue, "AT_ONCE", 2)
    hook = await make(cast, receiver, "task.created")
    for number in range(6):
        await cast.add_task(title=f"Task {number}")
    while await outgoing_queue.queue_next():
        pass
    assert 2 <= (await read(cast, hook))["waiting"] <= 3
    await send()
    assert len(receiver.got) == 6
    assert (await OutgoingWebhook.get(id=hook["id"])).position > 0
    (await cast.ada.delete(of(hook))).ok()
    assert (await cast.ada.get(HOOKS)).ok()["items"] == []
