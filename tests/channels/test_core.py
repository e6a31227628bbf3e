"""A need follows a person, is answered where it found them, and is shown as it ended."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.channels.answers.presses import press, take_words
from mission_control.channels.channel import Gone, Later, Refused, Said
from mission_control.channels.models import Device, ReachMessage, ReachNeed
from mission_control.channels.trial_messages import send_test
from mission_control.core import times
from mission_control.events.models import Event
from tests.cast import Cast
from tests.channels.conftest import After, settle
from tests.channels.fake_channel import Chat

pytestmark = pytest.mark.dialect

ASKED = {"action_type": "deploy", "reason": "Tests are green.", "payload": {"title": "Deploy to production"}}


async def asked(cast: Cast, **more: Any) -> dict[str, Any]:
    """Vega asks for an approval."""
    body = {"confidence": 90, "lead_reasoning": "Tests are green.", **ASKED, **more}
    found: dict[str, Any] = (await cast.vega.post(f"/agent/boards/{cast.board.id}/approvals", body)).ok()
    return found


async def answered(chat: Chat, who: str, label: str, sender: str = "") -> str:
    """Press a button of the last message at a receiver, and return what the presser reads."""
    button = next(one for one in chat.channel.messages(who)[-1].buttons if one.label == label)
    done = await press(button.token, kind="fake", who=sender or who, channel_id=chat.row.id)
    return done.words


async def test_need_is_sent_after_the_grace_and_answered_by_a_press(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(5)
    assert chat.channel.sent == []
    await after(25)
    [message] = chat.channel.messages("ada")
    assert "eploy" in message.title and message.buttons
    assert message.url.endswith(f"/reach/{(await ReachMessage.get()).id}")
    await answered(chat, "ada", "Approve")
    decided = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    assert decided["status"] == "approved"
    event = await Event.filter(kind="approval.decided").order_by("-seq").first()
    assert event is not None and (event.actor_id, event.surface) == (cast.ada.id, "fake")
    await after(30)
    [sent] = chat.channel.sent
    assert sent.edits == 1 and not sent.message.buttons and "approved this" in " ".join(sent.message.lines)
    assert (await ReachMessage.get()).state == "answered"


async def test_all_that_an_agent_wants_decided_stands_in_a_chat(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast, payload={"command": "rm -rf /srv/old", "to": ["db-7", "db-8"], "limits": {"rows": 5}})
    await after(25)
    [message] = chat.channel.messages("ada")
    for line in ("Command: rm -rf /srv/old", "To: db-7, db-8", 'Limits: {"rows": 5}'):
        assert line in "\n".join(message.lines)
    assert message.buttons


@pytest.mark.parametrize("name", ["text", "diff"])
async def test_what_a_chat_cannot_show_as_a_whole_has_no_buttons(
    cast: Cast, chat: Chat, after: After, name: str
) -> None:
    await chat.link(cast.ada.id, "ada")
    await asked(cast, payload={name: "+ " + "long " * 200})
    await after(25)
    [message] = chat.channel.messages("ada")
    assert not message.buttons


async def ask(cast: Cast, content: str, *labels: str) -> None:
    """Vega asks a question with these options."""
    body = {"content": content, "options": [{"label": one} for one in labels]}
    (await cast.vega.post(f"/agent/boards/{cast.board.id}/questions", body)).ok()


async def test_long_words_of_an_agent_stand_in_a_chat_to_their_end(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await ask(cast, f"May I?\n{'First I look. ' * 60}\nThen I drop the database.", "Yes", "No")
    await asked(cast, lead_reasoning=f"{'Tests are green. ' * 50}Then I drop the database.")
    await after(25)
    for message in chat.channel.messages("ada"):
        assert "Then I drop the database." in "\n".join(message.lines) and message.buttons
    await ask(cast, f"And now?\n{'I look again. ' * 70}\nThen I drop all.", "Yes", "No")
    await after(90)
    assert not chat.channel.messages("ada")[-1].buttons  # it shows 900 characters


async def test_answer_that_a_button_cannot_show_as_a_whole_has_none(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    long = "Look at all the tables of the shop, one after the other, and then "
    await ask(cast, "What now?", f"{long}go home", f"{long}drop them")
    await after(25)
    [message] = chat.channel.messages("ada")
    assert not message.buttons


async def test_answers_without_a_button_are_counted(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await ask(cast, "Which?", "One", "Two", "Three", "Four", "Five")
    await after(25)
    [message] = chat.channel.messages("ada")
    assert [one.label for one in message.buttons] == ["One", "Two", "Three"]
    assert message.lines[-1] == "and 3 more answers when you open it"  # the last are words of one's own


async def test_what_is_answered_at_once_reaches_nobody(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(5)
    await cast.ben.post(f"{cast.home}/approvals/{approval['id']}/decisions", {"decision": "approved"})
    await after(60)
    assert chat.channel.sent == []


async def test_answered_elsewhere_is_shown_there(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    approval = await asked(cast)
    await after(25)
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await after(30)
    [sent] = chat.channel.sent
    assert sent.edits == 1 and not sent.message.buttons
    assert f"{cast.ben.name} approved this" in sent.message.lines[0]
    assert (await ReachMessage.get()).state == "elsewhere"


async def test_somebody_else_and_a_replay_are_refused_kindly(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await chat.link(cast.eve.id, "eve")
    await asked(cast)
    await after(25)
    assert chat.channel.messages("eve") == []
    button = chat.channel.messages("ada")[-1].buttons[0]
    assert "somebody else" in await answered(chat, "ada", "Approve", sender="eve")
    forged = f"{button.token[:-2]}{'AA' if button.token[-2:] != 'AA' else 'BB'}"
    assert "no longer valid" in (await press(forged, kind="fake", who="ada", channel_id=chat.row.id)).words
    assert "no longer valid" in (await press(button.token, kind="slack", who="ada", channel_id=chat.row.id)).words
    assert (await press(button.token, kind="fake", who="ada", channel_id=chat.row.id)).is_given
    again = await press(button.token, kind="fake", who="ada", channel_id=chat.row.id)
    assert not again.is_given and again.words


async def test_changed_since_means_look_again(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    await asked(cast, task_ids=[task["id"]])
    await after(25)
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Drop the production database."})
    words = await answered(chat, "ada", "Approve")
    assert "changed" in words and "Drop the production database" in words
    before = chat.channel.messages("ada")[-1].buttons[0].token
    await after(30)
    [sent] = chat.channel.sent
    assert sent.edits == 1 and sent.message.buttons[0].token != before
    assert "no longer valid" in (await press(before, kind="fake", who="ada", channel_id=chat.row.id)).words
    assert "Done" in await answered(chat, "ada", "Approve")


async def test_team_gets_each_need_once_and_the_presser_answers(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link_team(cast.board.id, "#ops")
    await chat.link(cast.cleo.id, "cleo")
    await chat.link(cast.dan.id, "dan")
    await asked(cast)
    await after(25)
    [message] = chat.channel.messages("#ops")
    token = message.buttons[0].token
    assert "Link your account" in (await press(token, kind="fake", who="stranger", channel_id=chat.row.id)).words
    assert not (await press(token, kind="fake", who="dan", channel_id=chat.row.id)).is_given
    assert (await press(token, kind="fake", who="cleo", channel_id=chat.row.id)).is_given
    await after(90)
    assert [one.edits for one in chat.channel.sent if one.to == "#ops"] == [1]


async def test_place_of_the_team_shows_who_of_several_people_approved(cast: Cast, chat: Chat, after: After) -> None:
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    await chat.link_team(cast.board.id, "#ops")
    await chat.link(cast.cleo.id, "cleo")
    await chat.link(cast.ben.id, "ben")
    approval = await asked(cast)
    await after(25)
    assert "2 people have to approve" in chat.channel.messages("#ops")[-1].lines[1]
    (await cast.cleo.patch(f"{cast.approvals}/{approval['id']}", {"status": "approved"})).ok()
    await after(90)
    name = cast.cleo.name
    assert f"1 of 2: {name} approved" in chat.channel.messages("#ops")[-1].lines[1]
    assert chat.channel.messages("cleo")[-1].lines[-1].endswith(f"{name} approved this. Another person has to, too.")
    (await cast.ben.patch(f"{cast.approvals}/{approval['id']}", {"status": "approved"})).ok()
    await after(180)
    assert not chat.channel.messages("#ops")[-1].buttons
    assert [one.state for one in await ReachMessage.filter(user_id=None)] == ["elsewhere"]


async def test_burst_is_one_message(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    for number in range(5):
        last = await asked(cast, payload={"title": f"Deploy {number}"}, action_type=f"deploy_{number}")
    await after(30)
    [message] = chat.channel.messages("ada")
    assert message.title == "5 things wait for you" and not message.buttons and len(message.lines) == 5
    await cast.ada.post(f"{cast.home}/approvals/{last['id']}/decisions", {"decision": "approved"})
    await after(60)
    [message] = chat.channel.messages("ada")
    assert [heading for heading, _ in message.sections] == ["Waits", "Ended"]  # not without her


async def test_provider_that_is_down_gets_it_when_it_is_back(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [Later("503 Service Unavailable")]
    await asked(cast)
    with times.travelled(timedelta(seconds=30)):
        await settle()
    assert (await Device.get()).last_error == "503 Service Unavailable"
    with times.travelled(timedelta(minutes=40)):
        await settle()
    chat.channel.failures = []
    with times.travelled(timedelta(minutes=60)):
        await settle()
    [message] = chat.channel.messages("ada")
    assert message.buttons
    assert (await Device.get()).last_error is None
    assert (await ReachMessage.get()).state == "sent"


async def test_refused_goes_on_with_the_next_link_and_is_said(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "first")
    await chat.link(cast.ada.id, "second")
    send = chat.channel.send

    async def refusing(line: Any, message: Any) -> str:
        if line.to == "first":
            raise Refused("invalid_auth")
        return await send(line, message)

    chat.channel.send = refusing  # type: ignore[method-assign]
    await asked(cast)
    await after(30)
    assert len(chat.channel.messages("second")) == 1
    assert (await Device.get(label="first")).last_error == "invalid_auth"
    assert sorted([one.state for one in await ReachMessage.all()]) == ["failed", "sent"]


async def test_device_that_is_gone_ends(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [Gone("bot was blocked by the user")]
    await asked(cast)
    await after(30)
    device = await Device.get()
    assert device.ended_at is not None and device.mark is None
    assert (await ReachMessage.get()).error == "bot was blocked by the user"
    assert await ReachNeed.filter(given_up_at=None).count() == 0 < await ReachNeed.all().count()


async def test_rights_that_ended_send_nothing(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.cleo.id, "cleo")
    await asked(cast)
    await after(25)
    button = chat.channel.messages("cleo")[-1].buttons[0]
    members = (await cast.ada.get("/organizations/me/members")).ok()["items"]
    cleo = next(one for one in members if one["user_id"] == str(cast.cleo.id))
    assert (await cast.ada.delete(f"/organizations/me/members/{cleo['id']}")).status == 200
    done = await press(button.token, kind="fake", who="cleo", channel_id=chat.row.id)
    assert not done.is_given
    await after(90)
    [left] = chat.channel.messages("cleo")
    assert not left.buttons and left.lines == ("It no longer waits for you.",)


async def test_answer_that_needs_words_takes_the_next_message(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    await chat.link(cast.ben.id, "ben")
    approval = await asked(cast)
    await after(25)
    assert await take_words(chat.row, Said("ada", "Too early.", "Ada", "ada")) is None
    assert "Write your words" in await answered(chat, "ada", "Request changes …")
    assert await take_words(chat.row, Said("ben", "Not mine.", "Ben", "ben")) is None
    with times.travelled(timedelta(minutes=16)):
        assert await take_words(chat.row, Said("ada", "Too late.", "Ada", "ada")) is None
    assert "Done: Request changes, " in (
        await take_words(chat.row, Said("ada", "Shorter, please.", "Ada", "ada")) or ""
    )
    sent_back = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    assert sent_back["decision"] == "changes_requested" and "Shorter, please." in str(sent_back)
    assert await take_words(chat.row, Said("ada", "And again.", "Ada", "ada")) is None


async def test_words_that_are_awaited_are_for_what_was_shown(cast: Cast, chat: Chat, after: After) -> None:
    await chat.link(cast.ada.id, "ada")
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    approval = await asked(cast, task_ids=[task["id"]])
    await after(25)
    assert "Write your words" in await answered(chat, "ada", "Request changes …")
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Keep all files."})
    await after(60)
    assert await take_words(chat.row, Said("ada", "Keep some.", "Ada", "ada")) is None
    assert (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()["status"] == "pending"
    assert "Write your words" in await answered(chat, "ada", "Request changes …")
    assert "too long" in (await take_words(chat.row, Said("ada", "Keep some. " * 400, "Ada", "ada")) or "")
    assert "Done" in (await take_words(chat.row, Said("ada", "Keep some.", "Ada", "ada")) or "")


async def test_test_that_fails_for_a_reason_of_ours_is_given_up(cast: Cast, chat: Chat) -> None:
    device = await chat.link(cast.ada.id, "ada")
    chat.channel.failures = [RuntimeError("token=secret")]
    async with cast.app.app_context():
        with pytest.raises(RuntimeError):
            await send_test(await cast.ada.actor(), device)
    message = await ReachMessage.get()
    assert (message.state, message.error) == ("failed", "It could not be sent: RuntimeError.")
