"""Deliveries: leased to one worker, retried, given up, and what is recorded when they arrive."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.background import sending
from mission_control.background.sending import AT_ONCE, LEASES, MOST_ATTEMPTS, GiveUp, retry, settle
from mission_control.core import times
from mission_control.core.actor import system
from mission_control.core.errors import Forbidden
from mission_control.events.leases import Delivery, pause_after
from tests.cast import Cast, events, head
from tests.deliveries import leased, look_away, send_due

pytestmark = pytest.mark.dialect

KIND = "test.letter"
OUTCOMES = {"succeeded": "task.lead_notified", "failed": "task.lead_notify_failed"}


class Postman:
    """A sender that remembers, and does what it is told."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.answer: Exception | None = None

    async def __call__(self, delivery: Delivery) -> None:
        self.sent.append(delivery)
        if self.answer is not None:
            raise self.answer


@pytest.fixture
async def postman(app: Quart, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Postman]:
    """The sender of our kind, for one test; the application's own loop is paused."""
    await look_away(monkeypatch)
    found = Postman()
    sending.install_sender(sending.Sender(KIND, found))
    yield found
    sending._senders.pop(KIND, None)


async def letters(cast: Cast, count: int = 1, **fields: object) -> list[Delivery]:
    made = [
        Delivery(
            organization_id=cast.organization.id, kind=KIND, agent_id=cast.vega.id, board_id=cast.board.id,
            header="LETTER", text=str(number), data=OUTCOMES,
            **fields,
        )
        for number in range(count)
    ]  # fmt: skip
    await Delivery.bulk_create(made)
    return made


async def taken_later(*, minutes: float = 60) -> list[Delivery]:
    """What a worker takes some time from now."""
    with times.travelled(timedelta(minutes=minutes)):
        return await leased(KIND)


async def test_delivery_records_its_event(cast: Cast, postman: Postman) -> None:
    [letter] = await letters(cast)
    before = await head(cast)
    assert await send_due() == 1
    [sent] = await Delivery.filter(id=letter.id)
    assert (sent.state, sent.attempts, sent.leased_by, sent.leased_until) == ("sent", 1, None, None)
    assert sent.sent_at is not None and [one.id for one in postman.sent] == [letter.id]
    [event] = await events(before, organization_id=cast.organization.id)
    assert (event.kind, event.actor_kind, event.agent_id, event.board_id) == (
        "task.lead_notified", "system", cast.vega.id, cast.board.id,
    )  # fmt: skip
    assert await send_due() == 0


async def test_two_workers_never_take_the_same_delivery(cast: Cast) -> None:
    await letters(cast, 3 * AT_ONCE)
    batches = await asyncio.gather(*(leased(KIND) for _ in range(6)))
    ids = [one.id for batch in batches for one in batch]
    assert len(ids) == len(set(ids)) == 3 * AT_ONCE
    assert all(len(batch) <= AT_ONCE for batch in batches)


async def test_undue_and_other_kinds_wait(cast: Cast) -> None:
    await letters(cast, due_at=times.clock_now() + timedelta(minutes=5))
    assert await leased(KIND) == []
    assert len(await taken_later(minutes=6)) == 1
    await letters(cast)
    assert await leased("test.parcel") == []


async def test_deliveries_without_a_sender_wait(cast: Cast) -> None:
    [letter] = await letters(cast)
    assert await send_due() == 0
    assert (await Delivery.get(id=letter.id)).state == "waiting"


async def test_failed_delivery_is_retried_later(cast: Cast, postman: Postman) -> None:
    [letter] = await letters(cast)
    before = await head(cast)
    postman.answer = RuntimeError("nobody opened")
    assert await send_due() == 1
    waiting = await Delivery.get(id=letter.id)
    assert (waiting.state, waiting.attempts, waiting.last_error) == ("waiting", 1, "nobody opened")
    assert waiting.due_at > times.clock_now() and waiting.leased_by is None
    assert await send_due() == 0
    postman.answer = None
    with times.travelled(timedelta(hours=1)):
        assert await send_due() == 1
    arrived = await Delivery.get(id=letter.id)
    assert (arrived.state, arrived.attempts) == ("sent", 2) and not arrived.last_error
    assert [one.kind for one in await events(before)] == ["task.lead_notified"]


async def test_delivery_fails_after_the_last_attempt(cast: Cast, postman: Postman) -> None:
    [letter] = await letters(cast)
    before = await head(cast)
    postman.answer = RuntimeError("nobody opened")
    for attempt in range(MOST_ATTEMPTS):
        with times.travelled(timedelta(hours=attempt)):
            assert await send_due() == 1
    assert (await Delivery.get(id=letter.id)).state == "failed"
    with times.travelled(timedelta(days=1)):
        assert await send_due() == 0
    assert [one.kind for one in await events(before)] == ["task.lead_notify_failed"]
    await retry(await cast.ada.actor(), letter)
    postman.answer = None
    assert await send_due() == 1
    assert (await Delivery.get(id=letter.id)).state == "sent"


async def test_sender_can_give_up_at_once(cast: Cast, postman: Postman) -> None:
    [letter] = await letters(cast)
    postman.answer = GiveUp("moved away")
    await send_due()
    given_up = await Delivery.get(id=letter.id)
    assert (given_up.state, given_up.attempts, given_up.last_error) == ("failed", 1, "moved away")


async def test_lost_lease_is_taken_over_and_the_old_worker_ignored(cast: Cast) -> None:
    [letter] = await letters(cast)
    before = await head(cast)
    [first] = await leased(KIND)
    assert await leased(KIND) == []
    [second] = await taken_later(minutes=LEASES.duration.total_seconds() / 60 + 1)
    assert (second.id, second.attempts) == (letter.id, 2)
    await settle(system(cast.organization.id), first, None, final=True)
    held = await Delivery.get(id=letter.id)
    assert (held.state, held.leased_by) == ("sending", second.leased_by)
    assert await events(before) == []
    await settle(system(cast.organization.id), second, None, final=True)
    await settle(system(cast.organization.id), second, "too late", final=True)
    assert (await Delivery.get(id=letter.id)).state == "sent"
    assert [one.kind for one in await events(before)] == ["task.lead_notified"]


async def test_only_the_system_settles_deliveries(cast: Cast) -> None:
    [letter] = await letters(cast)
    for caller in (cast.ada, cast.atlas):
        with pytest.raises(Forbidden):
            await settle(await caller.actor(), letter, None, final=True)


def test_backoff_grows_to_a_limit() -> None:
    seconds = [pause_after(attempt, 10.0) for attempt in range(1, 12)]
    for attempt, pause in enumerate(seconds):
        nominal = min(10.0 * 2**attempt, 600.0)
        assert nominal <= pause <= nominal * 1.1
