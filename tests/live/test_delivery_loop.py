"""The loop that sends: when it looks, what that costs, the order of one agent's deliveries, and who holds up whom."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart
from tortoise.transactions import in_transaction

from mission_control.agents.reactions import NOTICE
from mission_control.background import sending
from mission_control.background.sending import MOST_ATTEMPTS, look, retry
from mission_control.core import times
from mission_control.core.actor import RULES
from mission_control.core.errors import Conflict, Forbidden
from mission_control.database.sql import is_postgres, rows
from mission_control.events import leases, wakeup_channels
from mission_control.events.commands import command
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import deliver
from tests.cast import Cast, Program, events, head
from tests.deliveries import leased, look_away, send_due
from tests.statements import counted

pytestmark = pytest.mark.dialect

KIND = "test.letter"


@pytest.fixture
def senders(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    own: dict[str, Any] = {}
    monkeypatch.setattr(sending, "_senders", own)
    return own


@pytest.fixture
async def asleep(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own loop looks away."""
    await look_away(monkeypatch)


async def letters(cast: Cast, to: Program, *numbers: int, **fields: Any) -> list[Delivery]:
    made = [
        Delivery(
            organization_id=cast.organization.id, seq=number, kind=KIND, agent_id=to.id,
            header="LETTER", text=str(number), **fields,
        )
        for number in numbers
    ]  # fmt: skip
    await Delivery.bulk_create(made)
    return made


async def taken(hours: float = 0) -> list[int]:
    """The numbers that a worker takes now, or some hours from now."""
    with times.travelled(timedelta(hours=hours)):
        return sorted(one.seq for one in await leased(KIND))


async def ended(state: str, *numbers: int) -> None:
    await Delivery.filter(seq__in=numbers, kind=KIND).update(state=state, leased_by=None, leased_until=None)


async def test_failed_deliveries_are_not_read(cast: Cast) -> None:
    """A callback that is broken for days leaves thousands behind, and every look would step over them all."""
    await letters(cast, cast.vega, *range(1, 400))
    await ended("failed", *range(1, 390))
    condition, values = sending._wanted([one for one in sending._senders.values() if one.kind == NOTICE])
    search = f"SELECT MIN({sending.LEASES.due}) AS due FROM deliveries WHERE ({condition}){sending.IN_ORDER}"
    async with in_transaction():
        if is_postgres():  # it chooses by what is in the table
            await rows("ANALYZE deliveries")
            await rows("SET LOCAL enable_seqscan = off")
        plan = await rows(f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{search}", *values)
    used = " ".join(str(value) for row in plan for value in row.values())
    assert "idx_deliveries_open" in used and "idx_deliveries_unread" not in used


@pytest.mark.usefixtures("asleep")
async def test_deliveries_of_one_queue_are_sequential(cast: Cast) -> None:
    await letters(cast, cast.vega, 1, 2, 3)
    await letters(cast, cast.rigel, 4, 5)
    assert await taken() == [1, 4]
    assert await taken() == []
    await ended("sent", 1)
    assert await taken() == [2]
    await ended("failed", 2, 4)
    assert await taken() == [3, 5]


@pytest.mark.usefixtures("asleep")
async def test_delayed_delivery_blocks_the_next(cast: Cast) -> None:
    await letters(cast, cast.vega, 1, due_at=times.clock_now() + timedelta(minutes=5))
    await letters(cast, cast.vega, 2)
    assert await taken() == []
    assert await taken(hours=1) == [1]


@pytest.mark.usefixtures("asleep")
async def test_lost_lease_keeps_the_order(cast: Cast) -> None:
    await letters(cast, cast.vega, 1, 2)
    assert await taken() == [1]
    assert await taken(hours=1) == [1]


@pytest.mark.parametrize("is_alone", [True, False])
async def test_restarted_server_takes_over_sending_deliveries(
    cast: Cast, senders: dict[str, Any], is_alone: bool
) -> None:
    far = times.clock_now() + timedelta(hours=1)
    await letters(cast, cast.vega, 1, state="sending", leased_by="dead", leased_until=far)
    await letters(cast, cast.rigel, 2)
    sent: list[int] = []

    async def send(letter: Delivery) -> None:
        sent.append(letter.seq)

    senders[KIND] = sending.Sender(KIND, send)
    own = replace(sending.SENDING, take_over=sending.SENDING.take_over if is_alone else None)
    running, is_alone = asyncio.create_task(own.run()), is_alone and not is_postgres()
    try:
        async with asyncio.timeout(60):
            while await Delivery.filter(kind=KIND, state="sent").count() < 1 + is_alone:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert sorted(sent) == ([1, 2] if is_alone else [2])


@pytest.mark.usefixtures("asleep")
async def test_lease_is_renewed_while_sending(
    cast: Cast, senders: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LEASES", replace(sending.LEASES, duration=timedelta(seconds=0.3)))
    await letters(cast, cast.vega, 1)
    answer = asyncio.Event()

    async def send(letter: Delivery) -> None:
        await answer.wait()

    senders[KIND] = sending.Sender(KIND, send)
    await look()
    first = (await Delivery.get(kind=KIND)).leased_until
    async with asyncio.timeout(60):
        while (await Delivery.get(kind=KIND)).leased_until == first:
            await asyncio.sleep(0.02)
    answer.set()
    await asyncio.gather(*sending.SENDING.tasks)
    assert (await Delivery.get(kind=KIND)).state == "sent"


@pytest.mark.usefixtures("asleep")
async def test_concurrent_workers_keep_the_order(cast: Cast) -> None:
    await letters(cast, cast.vega, *range(1, 11))
    for number in range(1, 11):
        found = await asyncio.gather(*(leased(KIND) for _ in range(6)))
        assert [one.seq for batch in found for one in batch] == [number]
        await ended("sent", number)


@pytest.mark.usefixtures("asleep")
async def test_condition_is_checked_for_every_row(cast: Cast, senders: dict[str, Any]) -> None:
    sending.install_sender(sending.Sender(KIND, _never, only=f"agent_id = '{cast.vega.id}'"))
    await letters(cast, cast.vega, 1)
    await letters(cast, cast.rigel, 2)
    assert await taken() == [1]


@pytest.mark.usefixtures("asleep")
async def test_senders_of_one_kind_share_by_condition(cast: Cast, senders: dict[str, Any]) -> None:
    """Each sender gets what meets its condition; the deliveries of an agent stay in order whoever sends them."""
    got: list[tuple[str, int]] = []

    def sender(name: str, to: Program) -> sending.Sender:
        async def send(delivery: Delivery) -> None:
            got.append((name, delivery.seq))

        return sending.Sender(KIND, send, only=f"agent_id = '{to.id}'", name=name)

    for one in (sender("by dog", cast.vega), sender("by cat", cast.rigel)):
        sending.install_sender(one)
    await letters(cast, cast.vega, 1, 3)
    await letters(cast, cast.rigel, 2)
    assert await send_due() == 2 and await send_due() == 1
    assert sorted(got) == [("by cat", 2), ("by dog", 1), ("by dog", 3)]


@pytest.mark.usefixtures("asleep")
async def test_sender_that_cannot_send_costs_nothing(cast: Cast, senders: dict[str, Any]) -> None:
    sending.install_sender(sending.Sender(KIND, _never, name="closed", is_able=lambda: False))
    await letters(cast, cast.vega, 1)
    with counted() as found:
        assert await look() == leases.IDLE_SECONDS
    assert found == []


@pytest.mark.usefixtures("asleep")
async def test_receiver_that_cannot_take_anything_now_costs_no_attempt(cast: Cast, senders: dict[str, Any]) -> None:
    async def send(delivery: Delivery) -> None:
        raise sending.NotNow("the gateway is away", 30)

    senders[KIND] = sending.Sender(KIND, send)
    [letter] = await letters(cast, cast.vega, 1)
    for number in range(MOST_ATTEMPTS + 4):
        with times.travelled(timedelta(minutes=number)):
            assert await send_due() == 1
    waiting = await Delivery.get(id=letter.id)
    assert (waiting.state, waiting.attempts, waiting.last_error) == ("waiting", 0, "the gateway is away")
    assert waiting.leased_by is None and waiting.due_at > times.clock_now()


async def _never(delivery: Delivery) -> None:
    raise AssertionError("nothing should be sent")


async def test_kind_without_a_sender_runs_no_statement(cast: Cast, senders: dict[str, Any]) -> None:
    await letters(cast, cast.vega, 1)
    with counted() as found:
        assert await look() == leases.IDLE_SECONDS
    assert found == []


async def test_idle_poll_is_one_read(cast: Cast, senders: dict[str, Any]) -> None:
    senders[KIND] = sending.Sender(KIND, _never)
    await letters(cast, cast.vega, 1, state="sent")
    await letters(cast, cast.vega, 2, state="failed")
    with counted() as found:
        assert await look() == leases.IDLE_SECONDS
    assert len(found) == 1 and found[0].startswith("SELECT")


@pytest.mark.parametrize(("seconds", "expected"), [(14, 14), (4000, leases.IDLE_SECONDS)])
async def test_loop_sleeps_until_the_next_is_due(
    cast: Cast, senders: dict[str, Any], seconds: float, expected: float
) -> None:
    senders[KIND] = sending.Sender(KIND, _never)
    await letters(cast, cast.vega, 1, due_at=times.clock_now() + timedelta(seconds=seconds))
    await letters(cast, cast.vega, 2)  # due, but it waits for the first
    pause = await look()
    assert 0 < pause <= expected


async def test_delivery_of_another_worker_is_retried_after_its_lease(cast: Cast, senders: dict[str, Any]) -> None:
    senders[KIND] = sending.Sender(KIND, _never)
    await letters(cast, cast.vega, 1, state="sending", leased_until=times.clock_now() + timedelta(seconds=14))
    assert 0 < await look() <= 14


@pytest.fixture
async def gates(senders: dict[str, Any], asleep: None) -> AsyncIterator[dict[int, asyncio.Event]]:
    """A sender that waits for a gate of each number; open ones need none."""
    found: dict[int, asyncio.Event] = {}

    async def send(delivery: Delivery) -> None:
        if delivery.seq in found:
            await found[delivery.seq].wait()

    senders[KIND] = sending.Sender(KIND, send)
    yield found
    for gate in found.values():
        gate.set()


async def test_number_of_concurrent_deliveries_is_limited(
    cast: Cast, gates: dict[int, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    for number, agent in enumerate((cast.vega, cast.rigel, cast.atlas), start=1):
        gates[number] = asyncio.Event()
        await letters(cast, agent, number)
    assert await look() == 0.0 and len(sending.SENDING.tasks) == 2
    assert await look() == leases.IDLE_SECONDS and len(sending.SENDING.tasks) == 2
    gates[1].set()
    with wakeup_channels.listening(leases.CHANNEL) as heard:
        assert await wakeup_channels.notified_within(heard, 60)  # whoever finishes lets the loop look
    assert await look() == 0.0 and len(sending.SENDING.tasks) == 2
    for gate in gates.values():
        gate.set()
    await asyncio.gather(*sending.SENDING.tasks)
    assert await Delivery.filter(kind=KIND, state="sent").count() == 3


async def test_command_with_deliveries_notifies_the_loop(
    cast: Cast, senders: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = asyncio.Event()

    async def send(delivery: Delivery) -> None:
        arrived.set()

    monkeypatch.setitem(RULES, "test.tell", lambda actor, thing: True)

    @command("test.tell")
    async def tell(actor: Any) -> None:
        deliver(KIND, cast.board.scope(), agent_id=cast.vega.id, header="LETTER", text="x")

    async with asyncio.timeout(60):
        while not wakeup_channels.channels_waiting(leases.CHANNEL):
            await asyncio.sleep(0.005)
    senders[KIND] = sending.Sender(KIND, send)
    await tell(await cast.ada.actor())
    async with asyncio.timeout(leases.IDLE_SECONDS - 5):
        await arrived.wait()
        while not await Delivery.exists(kind=KIND, state="sent"):
            await asyncio.sleep(0.005)


class Looking:
    """A loop of its own beside the application's, whose looks find nothing; `count` is how often it looked."""

    def __init__(self, debounce: float) -> None:
        self.count = 0
        self.loop = replace(sending.SENDING, look=self.look, debounce=debounce)
        self.task = asyncio.create_task(self.loop.run())

    async def look(self) -> None:
        self.count += 1

    async def happens(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.count < count:
                await asyncio.sleep(0.002)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def ring_often() -> None:
    for _ in range(20):
        wakeup_channels.channels_notify([leases.CHANNEL])
        await asyncio.sleep(0)


async def test_deliveries_of_many_commands_are_read_together(app: Quart) -> None:
    one = Looking(debounce=3600)
    await one.happens(1)
    await ring_often()
    await asyncio.sleep(0.05)
    assert one.count == 1
    await one.end()


async def test_notification_during_debounce_is_not_lost(app: Quart) -> None:
    one = Looking(debounce=0.05)
    for count in range(1, 6):
        await one.happens(count)
        await ring_often()
    await one.happens(6)
    await one.end()


async def test_no_debounce_while_something_is_sent(app: Quart) -> None:
    """The next notice of an agent is due when the one before has arrived."""
    one = Looking(debounce=3600)
    one.loop.begin(asyncio.sleep(3600))
    for count in range(1, 9):
        await one.happens(count)
        wakeup_channels.channels_notify([leases.CHANNEL])
    await one.end()


@pytest.mark.postgres
async def test_commit_of_another_process_notifies_loop(cast: Cast) -> None:
    assert is_postgres()
    with wakeup_channels.listening(leases.CHANNEL) as heard:
        await rows("SELECT pg_notify('mission_control', ?)", '{"channels": ["deliveries"], "from": "another"}')
        assert await wakeup_channels.notified_within(heard, 60)


@pytest.mark.usefixtures("asleep")
async def test_sending_again_needs_a_person_and_is_recorded(cast: Cast) -> None:
    [letter] = await letters(cast, cast.vega, 1, state="failed", attempts=6, last_error="nobody opened")
    for caller in (cast.cleo, cast.eve, cast.vega, cast.atlas):
        with pytest.raises(Forbidden):
            await retry(await caller.actor(), letter)
    before = await head(cast)
    with wakeup_channels.listening(leases.CHANNEL) as heard:
        again = await retry(await cast.ben.actor(), letter)
        assert await wakeup_channels.notified_within(heard, 60)
    assert (again.state, again.attempts, again.last_error) == ("waiting", 0, "nobody opened")
    assert [one.kind for one in await events(before)] == ["delivery.retried"]
    with pytest.raises(Conflict):
        await retry(await cast.ben.actor(), letter)
    assert await taken() == [1]
