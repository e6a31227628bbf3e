"""What may happen between plan, send and answer: rights that end, things that are gone, clocks that are set, races."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from mission_control.boards.models import Board
from mission_control.channels.answers.presses import press
from mission_control.channels.channel import CHANNELS, Gone, Later, Line, Message, Refused
from mission_control.channels.delivery import planner
from mission_control.channels.delivery.plan import MOST_IN_AN_HOUR
from mission_control.channels.installation import sealed
from mission_control.channels.models import Device, ReachBoard, ReachMessage, ReachMessageNeed, ReachNeed, ReachSettings
from mission_control.core import times
from mission_control.database.records import insert
from mission_control.events.leases import Delivery
from mission_control.people.models import Member, Organization, User
from tests.cast import Cast
from tests.channels.conftest import After, settle
from tests.channels.fake_channel import Chat, FakeChannel, chat_of
from tests.channels.test_core import asked
from tests.deliveries import send_due
from tests.many_needs import kinds_put, put_needs
from tests.runs.test_permissions import asking, request

pytestmark = pytest.mark.database


async def planned(seconds: float = 25) -> None:
    """Plan what is due so many seconds from now, and send nothing."""
    with times.travelled(timedelta(seconds=seconds)):
        planner.choices_changed()
        await planner.look()


async def states() -> list[str]:
    return sorted([one.state for one in await ReachMessage.all()])


async def decided(cast: Cast, approval: dict[str, Any], by: Any = None) -> None:
    await (by or cast.ben).patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})


async def test_two_processes_that_plan_at_once_plan_once(cast: Cast, chat: Chat) -> None:
    await chat.link(cast.ada.id, "ada")
    await chat.link(cast.cleo.id, "cleo")
    await asked(cast)
    with times.travelled(timedelta(seconds=25)):
        await asyncio.gather(*(planner.bring_up_to_date(cast.organization.id) for _ in range(4)))
        await settle()
    assert [one.to for one in chat.channel.sent].count("ada") == 1
    assert [one.to for one in chat.channel.sent].count("cleo") == 1
    assert await ReachNeed.all().count() == 2


async def test_two_presses_at_once_give_one_answer(cast: Cast, chat: Chat, after: After) -> None:
    for who, person in (("ada", cast.ada), ("ben", cast.ben), ("cleo", cast.cleo)):
        await chat.link(person.id, who)
    approval = await asked(cast)
    await after(25)
    tokens = {who: chat.channel.messages(who)[-1].buttons[0].token for who in ("ada", "ben", "cleo")}
    presses = [press(tokens[who], kind="fake", who=who, channel_id=chat.row.id) for who in tokens for _ in range(3)]
    done = await asyncio.gather(*presses)
    assert sum(one.is_given for one in done) == 1
    assert all(one.words for one in done)
    decisions = (await cast.ada.get("/activity?kind=approval.decided")).ok()["items"]
    assert len(decisions) == 1 and approval["id"]
    await after(60)
    assert await states() == ["answered", "elsewhere", "elsewhere"]


async def test_a_token_counts_for_its_message_its_person_and_its_answer_only(
    cast: Cast, chat: Chat, after: After
) -> None:
    for who, person in (("ada", cast.ada), ("ben", cast.ben)):
        await chat.link(person.id, who)
    await asked(cast)
    await after(25)
    await asked(cast, action_type="restart", payload={"title": "Restart"})
    await after(120)
    first, second = (one.buttons for one in chat.channel.messages("ada"))
    ben = chat.channel.messages("ben")[0].buttons

    async def is_given(token: str, who: str = "ada") -> bool:
        return (await press(token, kind="fake", who=who, channel_id=chat.row.id)).is_given

    def mixed(place: str, code: str) -> str:
        return ".".join([*place.split(".")[:2], code.split(".")[2]])

    assert not await is_given(mixed(first[0].token, second[0].token))  # the code of another message
    assert not await is_given(mixed(first[0].token, first[1].token))  # of another answer
    assert not await is_given(mixed(first[0].token, ben[0].token))  # of another person
    assert not await is_given(ben[0].token)  # pressed by another person
    for odd in (
        "",
        ".",
        "a.b.c",
        first[0].token + "A",
        first[0].token.replace(".0.", ".99."),
        "ä" * 45,
        "\0",
        first[0].token.replace(".0.", ".\u0660."),
    ):
        assert not await is_given(odd)
    elsewhere = await chat_of(cast.elsewhere.id, chat.channel)  # whose owner says what they like of who pressed
    assert not (await press(first[0].token, kind="fake", who="ada", channel_id=elsewhere.row.id)).is_given
    other = await chat.link(cast.ada.id, "ada-two")
    await Device.filter(id=chat.devices["ada"].id).update(ended_at=times.clock_now(), mark=None)
    assert not await is_given(first[0].token)  # its device has ended
    assert not await is_given(first[0].token, other.who)


@pytest.mark.parametrize(("command", "has_buttons"), [("rm -rf ./uploads", False), ("ls ./uploads", True)])
async def test_what_is_dangerous_has_no_button_that_a_thumb_hits(
    cast: Cast, chat: Chat, after: After, command: str, has_buttons: bool
) -> None:
    await chat.link(cast.ada.id, "ada")
    async with asking(cast, request(given={"command": command})):
        await after(25)
        [message] = chat.channel.messages("ada")
        assert command in "\n".join(message.lines) and bool(message.buttons) is has_buttons


async def test_a_device_that_ended_between_plan_and_send_is_sent_nothing_and_the_next_is(
    cast: Cast, chat: Chat, after: After
) -> None:
    first = await chat.link(cast.ada.id, "first")
    await chat.link(cast.ada.id, "second")
    await asked(cast)
    await planned()
    await Device.filter(id=first.id).update(ended_at=times.clock_now(), mark=None)
    await after(26)
    await after(90)
    assert [one.to for one in chat.channel.sent] == ["second"]


@pytest.mark.parametrize("what", ["member", "person", "rights", "board", "need", "snoozed"])
async def test_what_is_gone_between_plan_and_send_is_not_sent(cast: Cast, chat: Chat, after: After, what: str) -> None:
    await chat.link(cast.cleo.id, "cleo")
    approval = await asked(cast)
    await planned()
    assert await states() == ["queued"]
    member = await Member.get(user_id=cast.cleo.id)
    if what == "member":
        assert (await cast.ada.delete(f"/organizations/me/members/{member.id}")).status == 200
    elif what == "person":
        assert (await cast.cleo.delete("/users/me")).status in (200, 204)
    elif what == "rights":
        changed = {"all_boards_read": False, "all_boards_write": False, "board_access": []}
        answer = await cast.ada.call("PUT", f"/organizations/me/members/{member.id}/access", changed)
        assert answer.status == 200, answer
    elif what == "board":
        assert (await cast.ada.delete(cast.home)).status in (200, 204)
    elif what == "need":
        await decided(cast, approval)
    else:
        off = {"until": (times.clock_now() + timedelta(hours=4)).isoformat()}
        (await cast.cleo.call("PUT", f"/needs/approval:{approval['id']}/snooze", off)).ok()
    with times.travelled(timedelta(seconds=30)):
        await send_due()  # before anybody plans again
    assert chat.channel.sent == []
    await after(31)
    await after(120)
    await after(1000)
    assert chat.channel.sent == []
    if what != "person":
        assert await states() == ["withdrawn"]


async def test_an_organization_that_is_deleted_leaves_nothing_behind(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await planned()
    assert (await cast.ada.delete("/organizations/me")).status in (200, 204)
    await after(60)
    assert chat.channel.sent == []
    assert not await ReachNeed.all().count() and not await ReachMessage.filter(organization_id=cast.organization.id)


async def test_a_need_that_changed_between_plan_and_send_is_sent_as_it_is_now(
    cast: Cast, chat: Chat, after: After
) -> None:
    await chat.link(cast.ada.id, "ada")
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    await asked(cast, task_ids=[task["id"]])
    await planned()
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Drop the production database."})
    await after(26)
    [message] = chat.channel.messages("ada")
    need = (await cast.ada.get("/needs")).ok()["items"][0]
    part = await ReachMessageNeed.get()
    assert part.substance == need["substance"]
    assert (await press(message.buttons[0].token, kind="fake", who="ada", channel_id=chat.row.id)).is_given


async def test_a_clock_that_was_set_back_sends_nothing_twice_and_goes_on(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await after(3 * 3600)
    assert len(chat.channel.sent) == 1
    await after(60)  # hours earlier
    assert len(chat.channel.sent) == 1
    await asked(cast, action_type="restart", payload={"title": "Restart"})
    await after(90)
    assert len(chat.channel.sent) == 2


class Pushes(FakeChannel):
    """Devices that take push: one link of a person."""

    kind = "push"


@pytest.fixture
def pushes(chat: Chat) -> Iterator[FakeChannel]:
    """Push to devices in this process."""
    before, CHANNELS["push"] = CHANNELS["push"], Pushes()
    yield CHANNELS["push"]  # type: ignore[misc]
    CHANNELS["push"] = before


async def push_to(cast: Cast, who: str) -> Device:
    return await Device.create(
        user_id=cast.ada.id, kind="push", mark=f"push {who}", address=sealed(who), label=who, who=who
    )


def failing_for(channel: FakeChannel, who: str, error: Exception) -> None:
    """Let sends to one receiver fail."""
    send = channel.send

    async def failing(line: Line, message: Message) -> str:
        if line.to == who:
            raise error
        return await send(line, message)

    channel.send = failing  # type: ignore[method-assign]


@pytest.mark.usefixtures("daytime")
@pytest.mark.parametrize("error", [Gone("410"), Refused("403"), None])
async def test_one_of_two_devices_of_a_link_does_not_take_it(
    cast: Cast, chat: Chat, after: After, pushes: FakeChannel, error: Exception | None
) -> None:
    """The other has it: nothing is sent there again, nor at once elsewhere."""
    old = await push_to(cast, "old")
    await push_to(cast, "new")
    await chat.link(cast.ada.id, "ada")
    await ReachSettings.create(user_id=cast.ada.id, next_after=10)
    if error is not None:
        failing_for(pushes, "old", error)
    await asked(cast)
    await planned()
    if error is None:  # removed between plan and send
        await Device.filter(id=old.id).update(ended_at=times.clock_now(), mark=None)
    await after(30)
    await after(200)
    assert [one.to for one in pushes.sent] == ["new"]
    assert chat.channel.sent == []
    await after(700)
    assert [one.to for one in pushes.sent] == ["new"] and len(chat.channel.sent) == 1


async def test_all_devices_of_a_link_fail_and_the_next_has_it_at_once(
    cast: Cast, chat: Chat, after: After, pushes: FakeChannel
) -> None:
    await push_to(cast, "old")
    await push_to(cast, "new")
    await chat.link(cast.ada.id, "ada")
    pushes.failures = [Refused("403 BadJwtToken")]
    await asked(cast)
    await after(30)
    await after(35)
    assert len(chat.channel.sent) == 1


async def berlin(cast: Cast, **chosen: Any) -> None:
    """Ada lives in Berlin, and chose something."""
    await User.filter(id=cast.ada.id).update(timezone="Europe/Berlin")
    await ReachSettings.create(user_id=cast.ada.id, **chosen)


def until(hour: int, minute: int = 0, days: int = 1) -> float:
    """The seconds from now until a time of the clock in UTC, at least so many days away."""
    now = times.clock_now()
    moment = datetime.combine(now.date() + timedelta(days=days), time(hour, minute))
    return (moment - now).total_seconds()


async def clock_in_berlin(seconds: float) -> float:
    """The offset of Berlin then, in seconds."""
    moment = (times.clock_now() + timedelta(seconds=seconds)).replace(tzinfo=UTC)
    found = times.named("Europe/Berlin").utcoffset(moment.replace(tzinfo=None))
    return found.total_seconds() if found is not None else 0.0


@pytest.fixture
async def night(cast: Cast) -> float:
    """Seconds until the next 23:00 in Berlin."""
    return until(23) - await clock_in_berlin(until(23))


async def at(seconds: float, act: Any) -> Any:
    """Do something so many seconds from now."""
    with times.travelled(timedelta(seconds=seconds)):
        return await act()


HOUR = 3600


async def test_a_digest_holds_what_waits_and_what_ended_in_the_night(
    cast: Cast, chat: Chat, after: After, night: float
) -> None:
    await berlin(cast)
    await chat.link(cast.ada.id, "ada")
    first = await at(night, lambda: asked(cast))
    await at(night, lambda: asked(cast, action_type="restart", payload={"title": "Restart"}))
    await after(night + 60)
    await at(night + HOUR, lambda: decided(cast, first))
    await after(night + 2 * HOUR)
    assert chat.channel.sent == []
    await after(night + 9 * HOUR + 30)
    [message] = chat.channel.messages("ada")
    assert [heading for heading, _ in message.sections] == ["Waits", "Ended without you"]
    assert [len(items) for _, items in message.sections] == [1, 1]
    await after(night + 10 * HOUR)
    assert len(chat.channel.sent) == 1


async def test_what_ended_is_not_said_in_the_next_night_when_nothing_ran_all_day(
    cast: Cast, chat: Chat, after: After, night: float
) -> None:
    await berlin(cast)
    await chat.link(cast.ada.id, "ada")
    first = await at(night, lambda: asked(cast))
    await after(night + 60)
    await at(night + HOUR, lambda: decided(cast, first))
    await after(night + 2 * HOUR)
    await after(night + 25 * HOUR)  # no look since
    assert chat.channel.sent == []
    await after(night + 33 * HOUR + 30)
    assert len(chat.channel.sent) == 1


async def test_a_digest_of_the_morning_holds_what_was_there_and_leaves_out_boards_of_never(
    cast: Cast, chat: Chat, after: After, night: float
) -> None:
    await berlin(cast, morning=True)
    await ReachBoard.create(user_id=cast.ada.id, board_id=cast.board.id, how="never")
    await chat.link(cast.ada.id, "ada")
    await asked(cast)
    await after(night + 9 * HOUR + 60)
    assert chat.channel.sent == []
    await ReachBoard.all().delete()
    await at(night + 9 * HOUR + 600, lambda: asked(cast, action_type="restart", payload={"title": "Restart"}))
    await after(night + 9 * HOUR + 605)
    assert [one.message.title for one in chat.channel.sent if "Restart" in repr(one.message)] == []  # the grace


async def test_a_message_that_is_not_wanted_is_not_planned_again_and_again(
    cast: Cast, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the plan takes for waiting and the sender does not costs one message a minute at most."""
    await chat.link(cast.ada.id, "ada")
    await asked(cast)

    async def unwanted(*_: Any) -> bool:
        return False

    monkeypatch.setattr("mission_control.channels.delivery.sending._is_wanted", unwanted)
    with times.travelled(timedelta(seconds=25)):
        for _ in range(5):
            planner.choices_changed()
            await planner.look()
            await send_due()
    assert len(await ReachMessage.all()) == 1


async def test_slow_provider_holds_up_nobody_and_is_asked_when_it_said(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [Later("429 Too Many Requests", 45)]
    await asked(cast)
    await after(25)
    delivery = await Delivery.get(kind="reach.fake")
    assert delivery.state == "waiting"
    assert (delivery.due_at - times.clock_now()).total_seconds() > 45  # from then on
    chat.channel.failures = []
    await after(60)
    assert chat.channel.sent == []
    await after(75)
    assert len(chat.channel.sent) == 1


async def test_needs_of_every_kind_are_sent_to_who_may_act_and_rest(cast: Cast, chat: Chat, after: After) -> None:
    for who, person in (("ada", cast.ada), ("cleo", cast.cleo)):
        await chat.link(person.id, who)
    await chat.link_team(cast.board.id, "#ops")
    await put_needs(await Board.get(id=cast.board.id), cast.ada.id, 3 * len(kinds_put()))
    await after(60)
    await after(24 * HOUR)
    for person in (cast.ada, cast.cleo):
        home = {one["id"] for one in (await person.get("/needs?limit=200")).ok()["items"]}
        kept = {f"{one.kind}:{one.subject_id}" for one in await ReachNeed.filter(user_id=person.id) if not one.ended_at}
        assert kept == home, sorted(kept ^ home)
    assert {one.state for one in await ReachMessage.filter(kind="fake")} <= {"sent", "elsewhere"}
    number = len(chat.channel.sent)
    await after(25 * HOUR)
    assert len(chat.channel.sent) == number


async def test_organization_of_somebody_else_is_not_looked_at(cast: Cast, chat: Chat, after: After) -> None:
    await asked(cast)
    await after(60)
    assert await Organization.all().count() == 2 and not await ReachNeed.all().count()


async def test_what_waits_again_is_sent_again(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(25)
    await decided(cast, approval)
    await after(60)
    (await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "pending"})).ok()
    await after(200)
    assert len(chat.channel.sent) == 2
    assert chat.channel.sent[1].message.buttons


async def test_the_limit_of_an_hour_is_of_messages_and_not_of_devices(
    cast: Cast, chat: Chat, after: After, pushes: FakeChannel
) -> None:
    for who in ("phone", "tablet", "laptop"):
        await push_to(cast, who)
    for number in range(12):
        await asked(cast, action_type=f"deploy.{number}")
        await after(30 + 61 * number)
    assert len(pushes.messages("phone")) >= 11
    assert not any("things wait" in one.title for one in pushes.messages("phone"))


async def sent_before(user_id: UUID, organization_id: UUID, number: int, minutes: float) -> None:
    """Somebody was sent so many messages, the first so many minutes before now and one each minute."""
    first = times.clock_now() - timedelta(minutes=minutes)
    rows = [
        ReachMessage(
            organization_id=organization_id, user_id=user_id, kind="mail", why="first", state="sent", title="",
            created_at=first + timedelta(minutes=one),
        )
        for one in range(number)
    ]  # fmt: skip
    await insert(*rows)


async def test_the_limit_of_an_hour_is_of_a_person_in_all_organizations(cast: Cast, chat: Chat, after: After) -> None:
    for who, person in (("ada", cast.ada), ("cleo", cast.cleo)):
        await chat.link(person.id, who)
    await sent_before(cast.ada.id, cast.elsewhere.id, MOST_IN_AN_HOUR, 40)
    await sent_before(cast.cleo.id, cast.elsewhere.id, MOST_IN_AN_HOUR - 1, 40)
    await asked(cast)
    await after(30)
    assert [one.to for one in chat.channel.sent] == ["cleo"]
    await after(21 * 60)
    assert {one.to for one in chat.channel.sent} == {"ada", "cleo"}


async def test_nobody_looks_every_second_while_the_limit_of_an_hour_is_met(cast: Cast, chat: Chat) -> None:
    await chat.link(cast.ada.id, "ada")
    await sent_before(cast.ada.id, cast.organization.id, MOST_IN_AN_HOUR, 40)
    await asked(cast)
    with times.travelled(timedelta(minutes=2)):
        await planner.bring_up_to_date(cast.organization.id)
        due = await planner.bring_up_to_date(cast.organization.id)
        assert due is not None and due - times.clock_now() > timedelta(minutes=17)


async def test_device_of_a_person_in_two_organizations_holds_up_neither(cast: Cast, chat: Chat, after: After) -> None:
    await Member.create(organization_id=cast.elsewhere.id, user_id=cast.ada.id, role="member")
    await chat.link(cast.ada.id, "ada")
    broken = Device(user_id=cast.ada.id, kind="fake", who="old", mark="old", address=sealed("old"), label="Old phone")
    broken.last_error, broken.failed_at = "403", times.clock_now() - timedelta(hours=1)
    await insert(broken)
    for organization in (cast.organization, cast.elsewhere, cast.organization):
        await planner.bring_up_to_date(organization.id)
    assert await ReachNeed.filter(user_id=cast.ada.id, kind="device").count() == 1
    await asked(cast)
    await after(30)
    assert len(chat.channel.messages("ada")) == 1
