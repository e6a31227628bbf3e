"""Slack, Telegram and Mattermost with the running application: linked, sent to, answered there, and what goes wrong."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from quart import Quart

from mission_control.core import times
from mission_control.log.models import Event
from mission_control.reach import receiving
from mission_control.reach.models import Device, ReachChannel, ReachMessage
from tests.cast import Cast
from tests.reach.conftest import at
from tests.reach.playing import link, listen, played, say, status_of
from tests.reach.plays import PLAYS, Play
from tests.reach.test_core import asked
from tests.settings import having


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


async def test_words_of_a_send_back_are_the_next_message(cast: Cast, play: Play) -> None:
    approval = await asked(cast)
    await at(25)
    words = await play.press(play.ada, "Send back …")
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
