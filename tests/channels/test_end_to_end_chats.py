"""Slack, Telegram and Mattermost with the running application: linked, sent to, answered there, and what goes wrong."""

from collections.abc import AsyncIterator
from datetime import timedelta

import orjson
import pytest
from quart import Quart

from mission_control.channels.answers import receiving
from mission_control.channels.answers.presses import press
from mission_control.channels.delivery.buttons import token_of
from mission_control.channels.models import Device, ReachChannel, ReachMessage, ReachMessageNeed
from mission_control.core import times
from mission_control.events.models import Event
from mission_control.people.models import AccountEvent
from tests.cast import Cast
from tests.channels.conftest import at
from tests.channels.playing import code_for, link, listen, played, say, set_up, status_of
from tests.channels.plays import PLAYS, Play
from tests.channels.test_core import asked
from tests.settings import having
from tests.things import hold


@pytest.fixture(params=PLAYS)
async def play(
    request: pytest.FixtureRequest, app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Play]:
    """A chat that is linked to Ada."""
    async with played(request.param, app, cast, monkeypatch) as found:
        await link(found, cast.ada, found.ada)
        yield found


async def waiting(cast: Cast) -> int:
    """How much waits for Ada on Home."""
    return int((await cast.ada.get("/needs")).ok()["counts"]["total"])


async def test_need_is_answered_where_it_was_sent(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    assert await waiting(cast) == 1
    await at(25)
    [shown] = play.messages(play.ada)
    assert "eploy" in shown.text and "Tests are green." in shown.text
    assert "Approve" in shown.labels and shown.labels[-1] != "Approve"
    assert "Done" in await play.press(play.ada, "Approve")
    assert await status_of(cast, approval) == "approved" and await waiting(cast) == 0
    event = await Event.filter(kind="approval.decided").order_by("-seq").first()
    assert event is not None and (event.actor_id, event.surface) == (cast.ada.id, play.kind)
    await at(40)
    [shown] = play.messages(play.ada)
    assert "Approve" not in shown.labels and "approved this" in shown.text
    assert (await ReachMessage.get()).state == "answered"


async def test_worker_that_waits_is_told_to_go_on(cast: Cast, play: Play) -> None:
    held = await hold(cast.vega)
    await at(25)
    [shown] = play.messages(play.ada)
    assert "Claude Code on ada-laptop waits for its limit to reset at " in shown.text
    assert {"Continue now", "Stop for today"} <= set(shown.labels)
    assert "Done" in await play.press(play.ada, "Continue now")
    assert (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()["answer"] == "continue"
    await at(40)
    [shown] = play.messages(play.ada)
    assert "Continue now" not in shown.labels and "let it try again" in shown.text


async def test_words_of_a_send_back_are_the_next_message(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    words = await play.press(play.ada, "Request changes …")
    assert "rite" in words and await status_of(cast, approval) == "pending"
    why = 'Deploy "staging" first & compare <the> numbers:\n1. errors\n2. ' + "latency " * 30
    assert "Done" in await say(play, play.ada, play.typed(why))
    found = (await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()
    assert (found["decision"], found["note"]) == ("changes_requested", why.strip())


async def test_answered_elsewhere_is_shown_there(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await at(60)
    [shown] = play.messages(play.ada)
    assert f"{cast.ben.name} approved this" in shown.text and "Approve" not in shown.labels
    assert (await ReachMessage.get()).state == "elsewhere"


async def test_wrong_person_is_refused_kindly(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    assert "somebody else" in await play.press(play.ada, "Approve", by=play.eve)
    assert await status_of(cast, approval) == "pending"
    assert "Done" in await play.press(play.ada, "Approve")


async def test_other_secrets_end_the_accounts_and_the_buttons_of_a_channel(cast: Cast, play: Play) -> None:
    """Who knows the secrets of a channel can press in everybody's name: nobody is linked to secrets of another."""
    approval, path = await asked(cast), f"/organizations/me/channels/{play.channel_id}"
    await at(25)
    [shown] = play.messages(play.ada)
    token, code = play.token(shown, "Approve"), await code_for(play, cast.cleo)
    (await cast.ben.patch(path, {"values": play.values(), "name": "Our chat"})).ok()
    assert (await Device.get()).ended_at is None  # the same secrets
    (await cast.ben.patch(path, {"values": play.other_secrets()})).ok()
    await listen(play)
    assert "no longer valid" in await play.send_press(shown, token, play.ada)
    [device] = (await cast.ada.get("/users/me/reach/devices")).ok()["items"]
    assert device["state"] == "ended" and device["last_error"].startswith("Ben changed ")
    [need] = [one for one in (await cast.ada.get("/needs")).ok()["items"] if one["kind"] == "device"]
    assert "Link your account again" in need["reason"]
    assert await AccountEvent.filter(kind="device.ended", user_id=cast.ada.id, actor_id=cast.ben.id).count() == 1
    event = await Event.filter(kind="channel.changed").order_by("-seq").first()
    data = orjson.loads(event.data) if event is not None else {}
    assert data["ended_accounts"] == 1 and set(data["settings"]) <= play.values().keys() - {"api", "server"}
    (await cast.cleo.get(f"/users/me/reach/codes/{code['id']}")).refused(404)
    await link(play, cast.ada, play.ada)  # her own will
    assert "no longer valid" in await play.send_press(shown, token, play.ada)
    assert await status_of(cast, approval) == "pending"
    (await cast.ben.delete(path)).ok()  # and anew under the same name
    removed = str(play.channel_id).encode()
    assert (await cast.ada.get("/users/me/reach/devices")).ok()["items"][-1]["state"] == "ended"
    assert await AccountEvent.filter(kind="device.ended", user_id=cast.ada.id).count() == 2
    await set_up(play, cast)
    token = orjson.loads(orjson.dumps(token).replace(removed, str(play.channel_id).encode()))
    assert "no longer valid" in await play.send_press(shown, token, play.ada)


async def test_no_chat_gives_the_vote_of_one_of_several_people(cast: Cast, play: Play) -> None:
    """Who knows the secrets of a channel would be all of them."""
    (await cast.ada.patch(cast.home, {"approvals_needed": 2})).ok()
    approval = await asked(cast)
    await at(25)
    [shown] = play.messages(play.ada)
    assert "2 people have to approve" in shown.text and "Approve" not in shown.labels
    message, part, device = await ReachMessage.get(), await ReachMessageNeed.get(), await Device.get()
    forged = token_of(message, device, part, part.answers.index("approve"), "approve", part.substance)
    channel = await ReachChannel.get()
    done = await press(forged, kind=play.kind, who=device.who, channel_id=channel.id)
    assert "each in Mission Control" in done.words and not done.is_given
    assert (await cast.ada.get(f"{cast.approvals}/{approval['id']}")).ok()["votes"] == []
    assert "rite" in await play.press(play.ada, "Request changes …")
    assert "Done" in await say(play, play.ada, "Later.")  # one person alone sends back
    assert await status_of(cast, approval) == "rejected"


async def test_replayed_press_answers_nothing(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    [shown] = play.messages(play.ada)
    token = play.token(shown, "Approve")
    assert "Done" in await play.send_press(shown, token, play.ada)
    await cast.ada.post(f"{cast.home}/approvals/{approval['id']}/decisions", {"decision": "reopened"})
    await at(60)
    decided = await Event.filter(kind="approval.decided").count()
    words = await play.send_press(shown, token, play.ada)
    assert words and "Done" not in words
    assert await Event.filter(kind="approval.decided").count() == decided


async def test_press_after_its_time_answers_nothing(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    with times.travelled(timedelta(days=8)):
        assert "time to answer here is over" in await play.press(play.ada, "Approve")
        assert await status_of(cast, approval) == "pending"


async def test_changed_since_means_look_again(cast: Cast, play: Play) -> None:
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    approval = await asked(cast, task_ids=[task["id"]])
    await at(25)
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Drop the production database."})
    [shown] = play.messages(play.ada)
    old = play.token(shown, "Approve")
    words = await play.send_press(shown, old, play.ada)
    assert "changed" in words and await status_of(cast, approval) == "pending"
    await at(60)
    assert "Done" not in await play.send_press(shown, old, play.ada)
    assert "Done" in await play.press(play.ada, "Approve")
    assert await status_of(cast, approval) == "approved"


@pytest.mark.usefixtures("daytime")
async def test_provider_that_was_down_for_an_hour_gets_what_still_waits(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    withdrawn = await asked(cast, action_type="rename", payload={"title": "Rename the project"})
    play.break_down(broken=True)
    for minutes in (1, 20, 40, 59):
        await at(60 * minutes)
    assert play.messages(play.ada) == []
    words = (await Device.get()).last_error
    assert words is not None and ("The answer was 50" in words or "The server has trouble" in words)
    await cast.ben.patch(f"{cast.home}/approvals/{withdrawn['id']}", {"status": "approved"})
    play.break_down(broken=False)
    await at(75 * 60)
    assert len(play.messages(play.ada)) == 1
    await receiving.stop()
    await listen(play)
    with times.travelled(timedelta(minutes=76)):
        assert "Done" in await play.press(play.ada, "Approve")
    assert await status_of(cast, approval) == "approved"
    assert (await Device.get()).last_error is None


async def test_error_of_the_provider_is_shown(cast: Cast, play: Play) -> None:
    await asked(cast)
    play.refuse()
    await at(30)
    assert play.messages(play.ada) == []
    [message] = await ReachMessage.all()
    assert message.state == "failed" and message.error is not None and play.refusal in message.error
    channel = await ReachChannel.get()
    assert channel.state == "failing" and play.refusal in str(channel.last_error)


async def test_account_that_is_gone_ends(cast: Cast, play: Play) -> None:
    await asked(cast)
    play.forget()
    await at(30)
    device = await Device.get()
    assert device.ended_at is not None and device.mark is None and device.last_error
    assert (await ReachChannel.get()).state == "on"


async def test_link_leads_to_where_the_account_was_linked(cast: Cast, play: Play) -> None:
    """An installation without BASE_URL knows its address from its visitors."""
    with having(play.app, base_url=""):
        await link(play, cast.ben, play.cleo)
        await asked(cast)
        await at(25)
    message = await ReachMessage.get(user_id=cast.ben.id)
    assert f"http://localhost/reach/{message.id}" in str(play.fake.__dict__)
