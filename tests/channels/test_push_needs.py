"""Needs as pushes, from the ask to the end: what a browser is sent, what a press there does, what never leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from mission_control.channels.models import Device, ReachMessage
from mission_control.channels.providers.push.encryption import public_text
from mission_control.channels.providers.push.key import push_key
from mission_control.core import times
from tests.cast import Cast, Person
from tests.channels import test_core
from tests.channels.conftest import After
from tests.channels.push_service import PushService, Received, allowed_push_service
from tests.runs.test_code_handed_in import code_handed_in
from tests.things import hold

pytestmark = pytest.mark.dialect

HOME = "https://mission.example.org"
SECRET, COMMAND = "the key is hunter2", "rm -rf /srv/prod-db-7"


@pytest.fixture
async def pushes(cast: Cast) -> AsyncIterator[PushService]:
    """A push service that the installation may reach."""
    async with allowed_push_service(cast.app, base_url=HOME) as service:
        yield service


async def add(cast: Cast, pushes: PushService, who: Person, name: str) -> None:
    """Make a browser a device."""
    key = public_text(await push_key(cast.app.config["SETTINGS"]))
    (await who.post("/users/me/reach/devices", pushes.subscribe(name, key).subscription)).ok()


async def asked(cast: Cast, **more: Any) -> dict[str, Any]:
    """Vega asks for an approval, with a reason and a payload that are nobody else's."""
    own = {"lead_reasoning": SECRET, "payload": {"title": "Deploy the shop", "command": COMMAND}}
    return await test_core.asked(cast, **own | more)


async def show_texts(cast: Cast) -> None:
    """Let the board's sessions, and pushes, hold more than names."""
    (await cast.ada.patch(cast.home, {"session_detail": "all"})).ok()


def token_of(sent: Received, label: str) -> str:
    return next(str(one["action"]) for one in sent.notification["actions"] if one["title"] == label)


async def press(who: Person, token: str) -> dict[str, Any]:
    """What the worker posts with the session of its browser."""
    found: dict[str, Any] = (await who.post("/reach/answers", {"token": token})).ok()
    return found


async def decision(cast: Cast, approval: dict[str, Any]) -> str:
    return str((await cast.ada.get(f"{cast.home}/approvals/{approval['id']}")).ok()["status"])


async def test_need_is_pushed_and_answered_once(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    approval = await asked(cast, payload={})
    await after(25)
    [sent] = pushes.received
    assert sent.notification["navigate"] == f"{HOME}/reach/{(await ReachMessage.get()).id}"
    token = token_of(sent, "Approve")
    assert (await press(cast.ada, token))["is_given"]
    assert await decision(cast, approval) == "approved"
    again = await press(cast.ada, token)
    assert not again["is_given"] and again["message"]
    await after(30)
    assert [one.notification["data"].get("withdrawn", False) for one in pushes.received] == [False, True]
    assert pushes.received[-1].notification["tag"] == sent.notification["tag"]


async def test_worker_that_waits_is_stopped_from_a_push(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    held = await hold(cast.vega)
    await after(25)
    [sent] = pushes.received
    assert (await press(cast.ada, token_of(sent, "Stop for today")))["is_given"]
    assert (await cast.vega.get(f"/agent/holds/{held['id']}")).ok()["answer"] == "stop"
    await after(30)
    assert pushes.received[-1].notification["data"]["withdrawn"]


async def test_what_a_push_does_not_show_is_not_answered_from_it(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    await asked(cast)
    await code_handed_in(cast)
    await after(25)
    assert not any(one.notification.get("actions") for one in pushes.received)


async def test_answered_elsewhere_is_taken_from_every_device(cast: Cast, pushes: PushService, after: After) -> None:
    for name in ("phone", "laptop"):
        await add(cast, pushes, cast.ada, name)
    approval = await asked(cast, payload={})
    await after(25)
    assert {one.browser for one in pushes.received} == {"phone", "laptop"}
    (await cast.ben.post(f"{cast.home}/approvals/{approval['id']}/decisions", {"decision": "approved"})).ok()
    await after(30)
    ended = pushes.received[2:]
    assert {one.browser for one in ended} == {"phone", "laptop"}
    assert all(one.notification["silent"] and one.notification["data"]["withdrawn"] for one in ended)


async def test_somebody_else_and_a_forged_token_answer_nothing(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    approval = await asked(cast, payload={})
    await after(25)
    token = token_of(pushes.received[0], "Approve")
    for who in (cast.ben, cast.cleo, cast.eve):
        assert not (await press(who, token))["is_given"]
    assert not (await press(cast.ada, f"{token[:-2]}{'AA' if token[-2:] != 'AA' else 'BB'}"))["is_given"]
    assert await decision(cast, approval) == "pending"


async def test_changed_since_is_shown_anew_without_a_sound(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    task = (await cast.ada.post(cast.tasks, {"title": "Clean up", "description": "Delete old files."})).ok()
    approval = await asked(cast, payload={}, task_ids=[task["id"]])
    await after(25)
    before = token_of(pushes.received[0], "Approve")
    await cast.ada.patch(f"{cast.tasks}/{task['id']}", {"description": "Drop the production database."})
    assert not (await press(cast.ada, before))["is_given"]
    await after(30)
    anew = pushes.received[-1]
    assert anew.notification["silent"] and token_of(anew, "Approve") != before
    assert not (await press(cast.ada, before))["is_given"]
    assert (await press(cast.ada, token_of(anew, "Approve")))["is_given"]
    assert await decision(cast, approval) == "approved"


async def test_expired_button_answers_nothing(cast: Cast, pushes: PushService, after: After) -> None:
    await show_texts(cast)
    await add(cast, pushes, cast.ada, "phone")
    approval = await asked(cast, payload={})
    await after(25)
    with times.travelled(timedelta(days=8)):
        assert not (await press(cast.ada, token_of(pushes.received[0], "Approve")))["is_given"]
    assert await decision(cast, approval) == "pending"


@pytest.mark.usefixtures("daytime")
async def test_service_that_is_down_for_an_hour_gets_the_message_once(
    cast: Cast, pushes: PushService, after: After
) -> None:
    await add(cast, pushes, cast.ada, "phone")
    await asked(cast)
    pushes.answers = [(503, "down")] * 1000
    for minute in range(0, 60, 5):
        await after(25 + minute * 60)
    assert pushes.received == []
    pushes.answers = []
    for minute in (75, 90):
        await after(minute * 60)
    assert len(pushes.received) == 1


async def test_browser_that_is_gone_ends_as_a_device(cast: Cast, pushes: PushService, after: After) -> None:
    await add(cast, pushes, cast.ada, "phone")
    pushes.answers = [(410, "")]
    await asked(cast)
    await after(25)
    device = await Device.get()
    assert device.ended_at is not None and device.mark is None and "answered 410" in str(device.last_error)


async def test_refusal_is_kept_in_the_words_of_the_service(cast: Cast, pushes: PushService, after: After) -> None:
    await add(cast, pushes, cast.ada, "phone")
    pushes.answers = [(403, '{"reason":"BadJwtToken"}')]
    await asked(cast)
    await after(25)
    device, message = await Device.get(), await ReachMessage.get()
    assert device.ended_at is None and "BadJwtToken" in str(device.last_error)
    assert message.state == "failed" and "BadJwtToken" in str(message.error)


@pytest.mark.parametrize("detail", ["names", "commands", "all"])
async def test_no_reason_command_or_payload_is_in_a_push(
    cast: Cast, pushes: PushService, after: After, detail: str
) -> None:
    (await cast.ada.patch(cast.home, {"session_detail": detail})).ok()
    await add(cast, pushes, cast.ada, "phone")
    await asked(cast)
    await cast.vega.post(
        f"/agent/boards/{cast.board.id}/questions", {"question": f"May I run {COMMAND}?", "options": ["Yes", "No"]}
    )
    await after(25)
    await after(120)
    assert pushes.received
    texts = " ".join(one.text for one in pushes.received)
    assert SECRET not in texts and "hunter2" not in texts
    if detail == "names":
        assert "prod-db-7" not in texts and "Deploy the shop" not in texts
        assert not any("actions" in one.notification for one in pushes.received)


async def test_lock_screen_that_shows_nothing_says_only_that_something_waits(
    cast: Cast, pushes: PushService, after: After
) -> None:
    await show_texts(cast)
    (await cast.ada.call("PUT", "/users/me/reach", {"shows": "nothing"})).ok()
    await add(cast, pushes, cast.ada, "phone")
    await asked(cast)
    await after(25)
    [sent] = pushes.received
    assert sent.notification["title"] == "Something waits for you"
    assert "actions" not in sent.notification and "eploy" not in sent.text
