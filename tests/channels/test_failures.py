"""When something fails: providers that are away, links that take nothing, channels that are set up wrongly."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from mission_control.channels.channel import Gone, Later, Line, Message, Refused
from mission_control.channels.delivery import sending
from mission_control.channels.delivery.state import readers_of
from mission_control.channels.messages.links import open_message
from mission_control.channels.models import Device, ReachChannel, ReachMessage, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.events import broker
from mission_control.events.leases import Delivery
from mission_control.people.models import User
from tests.cast import Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.test_attacks import HOUR, at, berlin, failing_for, night, until
from tests.channels.test_core import asked
from tests.settings import having

__all__ = ["night"]  # a fixture

pytestmark = [pytest.mark.dialect, pytest.mark.database]
MINUTE = 60


@pytest.mark.usefixtures("daytime")
async def test_provider_that_is_down_for_an_hour_holds_up_nobody(cast: Cast, chat: Chat, after: After) -> None:
    """After the usual time the next link is used; who saw it there is not sent it again when the provider is back."""
    await chat.link(cast.ada.id, "first")
    await chat.link(cast.ada.id, "second")
    send = chat.channel.send
    failing_for(chat.channel, "first", Later("503 Service Unavailable"))
    await asked(cast)
    await after(30)
    await after(5 * MINUTE)
    assert chat.channel.sent == []
    await after(11 * MINUTE)
    assert [one.to for one in chat.channel.sent] == ["second"]
    message = await ReachMessage.get(state="sent")
    with times.travelled(timedelta(minutes=12)):
        await open_message(await cast.ada.actor(), message.id)
    chat.channel.send = send  # type: ignore[method-assign]
    for minute in (30, 60, 75, 90):
        await after(minute * MINUTE)
    assert [one.to for one in chat.channel.sent] == ["second"]
    assert sorted([one.state for one in await ReachMessage.all()]) == ["seen", "withdrawn"]


@pytest.mark.usefixtures("daytime")
async def test_what_was_seen_nowhere_is_sent_when_the_provider_is_back(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "only")
    chat.channel.failures = [Later("502 Bad Gateway")]
    await asked(cast)
    for minute in (1, 10, 30, 59):
        await after(minute * MINUTE)
    [waits] = (await cast.ada.get("/users/me/reach/messages")).ok()["items"]
    assert (waits["title"], waits["words"]) == ("Approve: Deploy", "tried again: 502 Bad Gateway")
    chat.channel.failures = []
    for minute in (61, 75):
        await after(minute * MINUTE)
    assert len(chat.channel.sent) == 1


async def test_what_a_provider_did_not_take_all_day_is_not_sent_at_night(
    cast: Cast, chat: Chat, after: After, night: float
) -> None:
    await berlin(cast)
    await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [Later("503")]
    await at(night - 3 * HOUR, lambda: asked(cast))
    for hour in (-3, -2, -1):
        await after(night + hour * HOUR - 40 * MINUTE + 2400)
    chat.channel.failures = []
    for hour in (0, 1, 4):
        await after(night + hour * HOUR)
    assert chat.channel.sent == []
    await after(night + 9 * HOUR + 30)
    assert len(chat.channel.sent) == 1


async def test_a_digest_that_a_provider_did_not_take_all_day_is_not_sent_at_night(
    cast: Cast, chat: Chat, after: After, night: float
) -> None:
    await berlin(cast)
    await chat.link(cast.ada.id, "ada")
    await at(night, lambda: asked(cast))
    await after(night + MINUTE)
    chat.channel.failures = [Later("503")]
    for hour in range(9, 23, 2):
        await after(night + hour * HOUR + MINUTE)
    chat.channel.failures = []
    await after(night + 24 * HOUR)
    await after(night + 26 * HOUR)
    assert chat.channel.sent == []
    await after(night + 33 * HOUR + MINUTE)
    assert len(chat.channel.sent) == 1


async def test_a_channel_that_is_set_up_wrongly_is_one_need_of_admins(cast: Cast, chat: Chat, after: After) -> None:
    for who, person in (("ada", cast.ada), ("ben", cast.ben), ("cleo", cast.cleo)):
        await chat.link(person.id, who)
    chat.channel.failures = [Refused("401 invalid_auth")]
    for number in range(4):
        await asked(cast, action_type=f"deploy.{number}")
        await after(30 + 70 * number)
    channel = await ReachChannel.get()
    assert (channel.state, channel.last_error) == ("failing", "401 invalid_auth")
    assert all(one.title for one in await ReachMessage.filter(state="failed"))

    async def about(person: Any, kind: str) -> list[str]:
        return [one["reason"] for one in (await person.get("/needs")).ok()["items"] if one["kind"] == kind]

    assert await about(cast.ada, "channel") == await about(cast.ben, "channel") == ["401 invalid_auth"]
    assert await about(cast.cleo, "channel") == []
    with times.travelled(timedelta(hours=1)):  # whom nothing reaches knows it from Home
        assert await about(cast.cleo, "device") == ["401 invalid_auth"]
    chat.channel.failures = []
    await ReachChannel.filter(id=channel.id).update(state="on", last_error=None, failing_since=None)
    for minute in (61, 63):
        await after(minute * MINUTE)
    [message] = chat.channel.messages("cleo")  # what reached nobody does so now
    assert message.title == "4 things wait for you"


async def test_a_link_that_refused_one_need_is_tried_for_the_next(cast: Cast, chat: Chat, after: After) -> None:
    """A provider may refuse one text; the person is not cut off."""
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("400 message is too long")]
    await asked(cast)
    await after(30)
    chat.channel.failures = []
    await asked(cast, action_type="restart")
    await after(120)
    assert len(chat.channel.sent) == 1
    assert (await ReachChannel.get()).state == "on"
    assert (await Device.get()).last_error is None


async def test_an_error_of_ours_is_given_up_in_the_end(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")

    async def broken(line: Line, message: Message) -> str:
        raise ValueError("no header of this kind: Bearer xoxb-secret")

    chat.channel.send = broken  # type: ignore[method-assign]
    await asked(cast)
    for minute in (1, 2, 4, 8, 16, 32, 64):
        await after(minute * MINUTE)
    assert [one.state for one in await ReachMessage.all()] == ["failed"]
    assert (await ReachNeed.get(user_id=cast.cleo.id, kind="approval")).failed
    said = [(await ReachMessage.get()).error, (await Device.get()).last_error, (await ReachChannel.get()).last_error]
    assert said == ["It could not be sent: ValueError."] * 3  # no secret of ours is in it


async def test_a_provider_that_never_answers_is_waited_for_in_words(
    cast: Cast, chat: Chat, after: After, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chat.link(cast.cleo.id, "cleo")
    monkeypatch.setattr(sending, "LONGEST_SECONDS", 0.01)

    async def never(line: Line, message: Message) -> str:
        await asyncio.Event().wait()
        raise AssertionError

    chat.channel.send = never  # type: ignore[method-assign]
    await asked(cast)
    await after(30)
    message = await ReachMessage.get()
    assert (message.state, message.error) == ("queued", "The provider took too long.")
    assert [one.attempts for one in await Delivery.filter(kind="reach.fake")] == [0]


@pytest.mark.parametrize("seconds", [1e300, float("nan"), -5.0], ids=["never", "nonsense", "past"])
async def test_a_pause_that_a_provider_makes_up_is_kept_within_a_day(
    cast: Cast, chat: Chat, after: After, seconds: float
) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Later("429 Too Many Requests", seconds)]
    await asked(cast)
    await after(30)
    [delivery] = await Delivery.filter(kind="reach.fake")
    wait = delivery.due_at - times.clock_now() - timedelta(seconds=30)
    assert delivery.state == "waiting" and timedelta(seconds=5) < wait <= timedelta(days=1)


async def test_what_an_admin_sends_again_is_not_sent_once_more_and_ends_with_its_need(
    cast: Cast, chat: Chat, after: After
) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("400 message is too long")]
    approval = await asked(cast)
    await after(30)
    chat.channel.failures = []
    with times.travelled(timedelta(minutes=1)):
        failed = await ReachMessage.get(state="failed")
        (await cast.ada.post(f"/organizations/me/messages/{failed.id}/resends")).ok()
    for minute in (1, 12, 30):
        await after(minute * MINUTE)
    [sent] = chat.channel.sent
    assert sent.message.buttons
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await after(31 * MINUTE)
    assert not sent.message.buttons and (await ReachMessage.get()).state == "elsewhere"


async def test_nobody_is_sent_anything_by_an_installation_without_a_zone_twice(
    cast: Cast, chat: Chat, after: After
) -> None:
    """Who has no zone has no night: it goes at once, at any hour."""
    await User.filter(id=cast.ada.id).update(timezone=None)
    await chat.link(cast.ada.id, "ada")
    await at(until(2), lambda: asked(cast))
    await after(until(2) + 30)
    assert len(chat.channel.sent) == 1


async def test_place_of_a_team_that_is_gone_says_so_on_its_page(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link_team(cast.board.id, "#ops")
    chat.channel.failures = [Gone("channel_not_found")]
    await asked(cast)
    await after(30)
    team = (await cast.dan.get(f"{cast.home}/reach")).ok()["team"]
    assert (team["state"], team["last_error"]) == ("fails", "channel_not_found")
    for minute in (11, 22, 60):
        await after(minute * MINUTE)
    assert await ReachMessage.all().count() == 1  # not again and again
    chat.channel.failures = []
    await asked(cast, action_type="restart")
    await after(61 * MINUTE)
    assert len(chat.channel.messages("#ops")) == 1
    assert (await cast.dan.get(f"{cast.home}/reach")).ok()["team"]["state"] == "works"


async def test_channel_that_works_again_shows_so_on_open_pages(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("401 invalid_auth")]
    await asked(cast)
    await after(30)
    assert (await ReachChannel.get()).state == "failing"
    chat.channel.failures = []
    await asked(cast, action_type="restart")
    reader = broker.current()
    assert reader is not None
    async with reader.subscribe(cast.organization.id) as news:
        await after(120)
        assert (await ReachChannel.get()).state == "on"
        signals = [one for one in await _all_of(news) if isinstance(one, dict)]
    assert {"reach_channel": str(chat.row.id)} in signals


async def _all_of(news: broker.Subscription) -> list[object]:
    """What is delivered until nothing comes for a moment."""
    found: list[object] = []
    while some := await news.take(0.5):
        found += some
    return found


async def test_account_without_an_address_is_sent_no_mail(cast: Cast, chat: Chat, after: After) -> None:
    with having(cast.app, smtp_url="smtp://localhost:1"):
        await User.filter(id=cast.cleo.id).update(email=None)
        chains = {one.id: one.person.chain for one in await readers_of(cast.organization.id)}
    assert chains[cast.ada.id] == ("mail",) and cast.cleo.id not in chains


async def test_deadline_at_the_end_of_the_calendar_holds_up_nobody(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await User.filter(id=cast.ada.id).update(timezone="Europe/Berlin")
    await ReachSettings.create(user_id=cast.ada.id, has_quiet=False)
    await asked(cast, decide_by="9999-12-31T23:59:59Z")
    for minute in (1, 15):
        await after(minute * MINUTE)
    await asked(cast, action_type="restart")
    await after(20 * MINUTE)
    assert len(chat.channel.messages("ada")) == 2
