"""What the tests of reaching people share: a chat, and the loops one look at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.background import sending
from mission_control.background.sending import Sender
from mission_control.channels.delivery import planner
from mission_control.channels.messages.rows import SENDING
from mission_control.core import times
from mission_control.events.leases import Delivery
from tests.cast import Cast
from tests.channels.fake_channel import Chat, FakeChannel, chat_of, installed
from tests.deliveries import look_away, send_due

type After = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def planned_by_tests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's own loop plans nothing: it would end what a test wrote into the tables by hand."""

    async def see_nothing() -> float:
        return 60.0

    monkeypatch.setattr(planner.KEEPING, "look", see_nothing)


@pytest.fixture
async def chat(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chat]:
    """A chat of the cast's organization; the loops look only when a test says so."""
    await look_away(monkeypatch)
    channel = FakeChannel()
    with installed(channel):
        sending.install_sender(next(one for one in _senders(app) if one.kind == f"{SENDING}fake"))
        try:
            yield await chat_of(cast.organization.id, channel)
        finally:
            sending._senders.pop(f"{SENDING}fake", None)


def _senders(app: Quart) -> list[Sender]:
    from mission_control.channels.delivery.sending import senders

    return list(senders(app))


@pytest.fixture
def after(chat: Chat) -> After:
    """Look, plan and send, so many seconds from now."""
    return at


@pytest.fixture
def daytime() -> Iterator[None]:
    """Let it be noon, so that no test of some hours gets into the morning, with its digest."""
    now = times.clock_now()
    with times.travelled(now.replace(hour=12) + timedelta(days=1) - now):
        yield


async def at(seconds: float = 0.0) -> None:
    """Look, plan and send, so many seconds from now."""
    with times.travelled(timedelta(seconds=seconds)):
        await settle()


async def settle() -> None:
    """Plan and send until nothing is left to do at this moment."""
    planner.choices_changed()
    for _ in range(20):
        await planner.look()
        if not await send_due() and not await _is_due():
            return
        planner.choices_changed()
    raise AssertionError("there is always something to send")


async def _is_due() -> bool:
    return await Delivery.filter(kind__startswith=SENDING, state="waiting", due_at__lte=times.clock_now()).exists()
