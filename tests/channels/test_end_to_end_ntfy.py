"""ntfy with the running application: answered from the phone, replaced, and what goes wrong."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from quart import Quart

from mission_control.channels.models import Device, ReachMessage
from mission_control.channels.providers.ntfy import ADVICE
from mission_control.core import times
from mission_control.events.models import Event
from tests.cast import Cast
from tests.channels.conftest import at
from tests.channels.fake_ntfy import FakeNtfy
from tests.channels.playing import at_home, loops_look_away, status_of
from tests.channels.serving import serving
from tests.channels.test_core import asked


@pytest.fixture
async def ntfy(app: Quart, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeNtfy]:
    """A topic that only Ada reads."""
    await loops_look_away(monkeypatch)
    found = FakeNtfy()

    async def sends(url: str, headers: dict[str, str]) -> int:
        answer = await app.test_client(use_cookies=False).post(urlsplit(url).path, headers=headers)
        return answer.status_code

    found.sends = sends
    with at_home(app):
        async with serving(found.app) as url:
            values = {"server": url, "topic": "mission-ada-9f2c", "access_token": found.token}
            (await cast.ada.post("/users/me/reach/addresses", {"kind": "ntfy", "values": values})).ok()
            (await cast.ada.patch(cast.home, {"session_detail": "all"})).ok()
            yield found


async def test_need_is_answered_from_the_phone(cast: Cast, ntfy: FakeNtfy) -> None:
    approval = await asked(cast, payload={})
    await at(25)
    assert ntfy.labels(0)[:2] == ["Open", "Approve"] and len(ntfy.labels(0)) == 3
    assert "Tests are green" not in str(ntfy.messages)
    assert await ntfy.press(0, "Approve") == 200
    assert await status_of(cast, approval) == "approved"
    event = await Event.filter(kind="approval.decided").order_by("-seq").first()
    assert event is not None and (event.actor_id, event.surface) == (cast.ada.id, "ntfy")
    await at(60)
    [shown] = ntfy.shown.values()
    assert "approved this" in shown["message"] and shown["priority"] == 2 and len(shown["actions"]) == 1


async def test_answered_elsewhere_replaces_it(cast: Cast, ntfy: FakeNtfy) -> None:
    approval = await asked(cast, payload={})
    await at(25)
    await cast.ben.patch(f"{cast.home}/approvals/{approval['id']}", {"status": "approved"})
    await at(60)
    [shown] = ntfy.shown.values()
    assert f"{cast.ben.name} approved this" in shown["message"]
    decided = await Event.filter(kind="approval.decided").count()
    assert await ntfy.press(0, "Approve") != 200
    assert await Event.filter(kind="approval.decided").count() == decided


async def test_press_counts_once_and_in_time(cast: Cast, ntfy: FakeNtfy) -> None:
    approval = await asked(cast, payload={})
    await at(25)
    with times.travelled(timedelta(days=8)):
        assert await ntfy.press(0, "Approve") != 200
    assert await status_of(cast, approval) == "pending"
    assert await ntfy.press(0, "Approve") == 200
    assert await ntfy.press(0, ntfy.labels(0)[2]) != 200
    assert await status_of(cast, approval) == "approved"


async def test_changed_since_means_look_again(cast: Cast, ntfy: FakeNtfy) -> None:
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    approval = await asked(cast, payload={}, task_ids=[task["id"]])
    await at(25)
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Drop the production database."})
    assert await ntfy.press(0, "Approve") != 200
    assert await status_of(cast, approval) == "pending"
    await at(60)
    assert await ntfy.press(0, "Approve") != 200
    assert await ntfy.press(1, "Approve") == 200
    assert await status_of(cast, approval) == "approved" and len(ntfy.shown) == 1


async def test_board_that_keeps_names_only_sends_no_texts(cast: Cast, ntfy: FakeNtfy) -> None:
    (await cast.ada.patch(cast.home, {"session_detail": "names"})).ok()
    await asked(cast)
    await at(25)
    assert ntfy.labels(0) == ["Open"] and "eploy" not in str(ntfy.messages)
    assert cast.vega.name in ntfy.messages[0]["title"]


async def test_topic_that_others_read_gets_no_buttons(cast: Cast, ntfy: FakeNtfy) -> None:
    ntfy.is_open = True
    await asked(cast)
    await at(25)
    assert ntfy.labels(0) == ["Open"]


@pytest.mark.usefixtures("daytime")
async def test_server_that_was_down_gets_what_still_waits(cast: Cast, ntfy: FakeNtfy) -> None:
    await asked(cast)
    ntfy.status = 500
    for minutes in (1, 20, 40, 59):
        await at(60 * minutes)
    assert (await Device.get()).last_error == "internal server error"
    ntfy.status = 200
    await at(75 * 60)
    assert len(ntfy.messages) == 1 and (await Device.get()).last_error is None


async def test_error_of_the_server_is_shown(cast: Cast, ntfy: FakeNtfy) -> None:
    ntfy.token = "tk_changed"
    await asked(cast)
    await at(25)
    [message] = await ReachMessage.all()
    assert (message.state, message.error) == ("failed", f"forbidden. {ADVICE['forbidden']}")
    assert (await Device.get()).last_error == message.error
