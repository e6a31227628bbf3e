"""Somebody whom nothing reached: admins see it until something arrives, or the person looks."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.channels.channel import Gone, Refused
from mission_control.channels.models import Device, ReachChannel, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.events import broker
from tests.cast import Caller, Cast
from tests.channels.conftest import After
from tests.channels.fake_channel import Chat
from tests.channels.test_core import asked

pytestmark = [pytest.mark.dialect, pytest.mark.database]
MINUTE = 60


async def shown(person: Caller, kind: str, minute: float = 15) -> list[dict[str, Any]]:
    """What of a kind waits for a person so many minutes from now, and that the page of each can be read."""
    with times.travelled(timedelta(minutes=minute)):
        items = (await person.get("/needs?limit=200")).ok()["items"]
        found = [one for one in items if one["kind"] == kind]
        for one in found:
            (await person.get(f"/needs/{one['id']}")).ok()
    return found


async def works(chat: Chat) -> None:
    """The channel itself works: it only refused somebody."""
    await ReachChannel.filter(id=chat.row.id).update(state="on", last_error=None, failing_since=None)


async def test_admins_see_who_was_not_reached_until_something_arrives(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("403 blocked by the user")]
    for number in range(2):
        await asked(cast, action_type=f"deploy.{number}")
    await after(30)
    assert await shown(cast.ada, "unreached", 5) == []  # a provider may be away for a moment
    for admin in (cast.ada, cast.ben):
        [one] = await shown(admin, "unreached")
        assert one["title"].endswith("was not reached") and "Cleo" in one["title"]
        assert one["reason"] == "403 blocked by the user"
        assert [fact["text"] for fact in one["facts"]] == ["2 things wait for them"]
    assert await shown(cast.cleo, "unreached") == []
    chat.channel.failures = []
    await works(chat)
    with times.travelled(timedelta(minutes=16)):
        (await cast.ada.post(f"/needs/{one['id']}/answers", {"answer": "resend"})).ok()
    for minute in (16, 17, 30):
        await after(minute * MINUTE)
    assert chat.channel.messages("cleo") and await shown(cast.ada, "unreached", 31) == []


async def test_who_saw_it_on_a_page_was_reached(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("403 blocked by the user")]
    approval = await asked(cast)
    await after(30)
    assert await shown(cast.ada, "unreached")
    await ReachNeed.filter(user_id=cast.cleo.id, subject_id=approval["id"]).update(seen_at=times.clock_now())
    await after(40)
    assert await shown(cast.ada, "unreached") == []


async def test_what_somebody_else_answered_reaches_nobody_in_vain(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Refused("403 blocked by the user")]
    approval = await asked(cast)
    await after(30)
    reader = broker.current()
    assert reader is not None
    async with reader.subscribe(cast.organization.id) as news:
        await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
        await after(40)
        found: list[object] = []
        while some := await news.take(0.5):
            found += some
    assert {"unreached": ""} in found and await shown(cast.ada, "unreached") == []


async def test_whose_last_device_is_gone_is_not_reached_by_what_comes_then(
    cast: Cast, chat: Chat, after: After
) -> None:
    await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Gone("410 gone")]
    first = await asked(cast)
    await after(30)
    await cast.ben.patch(f"{cast.home}/approvals/{first['id']}", {"status": "approved"})
    chat.channel.failures = []
    await after(60)
    assert await shown(cast.ada, "unreached", 12) == []
    await asked(cast, action_type="restart")
    await after(120)
    [one] = await shown(cast.ada, "unreached", 14)
    assert {answer["id"] for answer in one["answers"]} == {"copy"}  # nothing is sent to a device that is gone
    assert chat.channel.sent == []
    await chat.link(cast.cleo.id, "new phone")
    await after(20 * MINUTE)
    assert len(chat.channel.messages("new phone")) == 1 and await shown(cast.ada, "unreached", 21) == []


async def test_who_removes_a_device_that_is_gone_wants_to_be_reached_nowhere(
    cast: Cast, chat: Chat, after: After
) -> None:
    device = await chat.link(cast.cleo.id, "cleo")
    chat.channel.failures = [Gone("410 gone")]
    await asked(cast)
    await after(30)
    assert await shown(cast.ada, "unreached")
    (await cast.cleo.delete(f"/users/me/reach/devices/{device.id}")).ok()
    await after(16 * MINUTE)
    assert await shown(cast.ada, "unreached", 17) == []


async def test_need_about_people_who_were_not_reached_keeps_itself_up_never(
    cast: Cast, chat: Chat, after: After
) -> None:
    """Ada is an admin: that she was not reached does not reach her either."""
    await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [Refused("403 blocked by the user")]
    approval = await asked(cast)
    for minute in (0.5, 12, 24):
        await after(minute * MINUTE)
    assert len(await shown(cast.ben, "unreached", 25)) == 1
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    for minute in (26, 40):
        await after(minute * MINUTE)
    assert await shown(cast.ben, "unreached", 41) == []


async def test_who_wants_to_know_of_nothing_is_not_missed(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    await ReachSettings.create(user_id=cast.cleo.id, kinds={"approval": "never"})
    await asked(cast)
    await after(30)
    assert await shown(cast.ada, "unreached") == []


async def test_team_whose_place_is_gone_is_a_need_of_its_board(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link_team(cast.board.id, "#ops")
    chat.channel.failures = [Gone("channel_not_found")]
    await asked(cast)
    await after(30)
    for person in (cast.ada, cast.cleo):
        [one] = await shown(person, "team", 1)
        assert (one["title"], one["reason"]) == ("#ops does not get what is sent to the team", "channel_not_found")
    assert await shown(cast.dan, "team", 1) == []  # who may not write there cannot mend it
    with times.travelled(timedelta(minutes=2)):
        (await cast.cleo.post(f"/needs/{one['id']}/answers", {"answer": "test"})).ok()
    assert len(await shown(cast.cleo, "team", 3)) == 1
    chat.channel.failures = []
    with times.travelled(timedelta(minutes=4)):
        (await cast.cleo.post(f"/needs/{one['id']}/answers", {"answer": "test"})).ok()
    assert await shown(cast.cleo, "team") == []
    assert (await Device.get(board_id=cast.board.id)).last_error is None


async def test_nothing_is_sent_to_a_team_that_wants_it_no_longer(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link_team(cast.board.id, "#ops")
    chat.channel.failures = [Gone("channel_not_found")]
    await asked(cast)
    await after(30)
    [one] = await shown(cast.cleo, "team", 1)
    (await cast.cleo.post(f"/needs/{one['id']}/answers", {"answer": "off"})).ok()
    assert await shown(cast.cleo, "team") == []
    assert (await cast.cleo.get(f"{cast.home}/reach")).ok() == {"team": None}
    with times.travelled(timedelta(minutes=30)):
        (await cast.cleo.get(f"/needs/{one['id']}")).refused(404)
