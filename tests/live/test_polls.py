"""Reads that wait: each is answered when what it is about changes, and asks the database nothing until then."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from mission_control.agents import work_state as directives
from mission_control.approvals import streams as approvals
from mission_control.core import times
from mission_control.events import wakeup_channels
from mission_control.http.registry import OPERATIONS
from mission_control.needs import deadlines
from mission_control.needs import polling as needs
from mission_control.people.accounts.credentials import revoke_personal_token
from mission_control.people.models import Token
from mission_control.questions import reactions as questions
from mission_control.runs.claims.polling import channel_of as channel_of_work
from tests.cast import Answer, Caller, Cast, stamp
from tests.rights_changes import member_path, revoke
from tests.statements import counted

pytestmark = pytest.mark.dialect

PATIENCE = 40  # less than a poll waits that nobody wakes


@dataclass(frozen=True)
class Read:
    """A read that waits: who reads what, where it waits, and what answers it."""

    who: str
    path: Callable[[Cast], str]
    channel: Callable[[Cast], str]
    changes: Callable[[Cast], Awaitable[Any]]
    method: str = "GET"


async def ask(cast: Cast) -> dict[str, Any]:
    body = {"content": "Which filter?"}
    asked: dict[str, Any] = (await cast.atlas.post(f"/agent{cast.home}/questions", body)).ok()
    return asked


async def answer_question(cast: Cast) -> None:
    [asked, *_] = (await cast.ada.get(f"{cast.home}/questions?state=open")).ok()["items"]
    (await cast.ada.post(f"{cast.home}/questions/{asked['id']}/answers", {"answer": "The red one."})).ok()


async def decide(cast: Cast) -> None:
    [asked, *_] = (await cast.ada.get(f"{cast.approvals}?status=pending")).ok()["items"]
    (await cast.ada.post(f"{cast.approvals}/{asked['id']}/decisions", {"decision": "approved"})).ok()


async def pause(cast: Cast) -> None:
    (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "paused"})).ok()


READS = {
    "heartbeat": Read(
        "vega", lambda _: "/agent/heartbeat", lambda cast: directives.channel_of(cast.organization.id), pause, "POST"
    ),
    "needs": Read("ada", lambda _: "/needs", lambda cast: needs.channel_of(cast.organization.id), decide),
    "approvals of an agent": Read(
        "vega",
        lambda cast: f"/agent{cast.approvals}",
        lambda cast: approvals.POLLS.channel_of_list(cast.board.id),
        decide,
    ),
    "approvals of a person": Read(
        "ada", lambda cast: cast.approvals, lambda cast: approvals.POLLS.channel_of_list(cast.board.id), decide
    ),
    "questions of an agent": Read(
        "vega",
        lambda cast: f"{cast.home}/questions",
        lambda cast: questions.POLLS.channel_of_list(cast.board.id),
        answer_question,
    ),
    "open questions of a person": Read(
        "ada",
        lambda cast: f"{cast.home}/questions?state=open",
        lambda cast: questions.POLLS.channel_of_list(cast.board.id),
        answer_question,
    ),
}


async def until_waiting(channel: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not wakeup_channels.channels_waiting(channel):
            await asyncio.sleep(0.002)


async def known_path(cast: Cast, read: Read) -> str:
    """Return the address of a wait for another answer than the present one."""
    await ask(cast)
    await cast.ask(cast.vega)
    path = read.path(cast)
    answer = (await getattr(cast, read.who).call(read.method, path)).ok()
    known = answer.get("version") or answer["directive"]
    return f"{path}{'&' if '?' in path else '?'}wait_seconds=50&known={known}"


async def begin(cast: Cast, read: Read) -> "asyncio.Task[Answer]":
    caller: Caller = getattr(cast, read.who)
    poll = asyncio.create_task(caller.call(read.method, await known_path(cast, read)))
    await until_waiting(read.channel(cast))
    return poll


async def ended(poll: "asyncio.Task[Answer]") -> Answer:
    return await asyncio.wait_for(poll, PATIENCE)


@pytest.mark.parametrize("name", READS)
async def test_waiting_read_asks_nothing_and_answers_when_something_changed(cast: Cast, name: str) -> None:
    read = READS[name]
    with counted() as found:
        poll = await begin(cast, read)
        begun = -1
        while begun != len(found):  # it listens first and looks then
            begun = len(found)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        assert len(found) == begun and not poll.done(), found
    await read.changes(cast)
    answer, now = (await ended(poll)).plain, await getattr(cast, read.who).call(read.method, read.path(cast))
    assert {**answer, "last_seen_at": 0, "updated_at": 0} == {**now.plain, "last_seen_at": 0, "updated_at": 0}


@pytest.mark.parametrize("name", READS)
async def test_other_news_keep_a_read_waiting(cast: Cast, name: str) -> None:
    read = READS[name]
    poll = await begin(cast, read)
    wakeup_channels.channels_notify([read.channel(cast)])
    await until_waiting(read.channel(cast))
    assert not poll.done()
    await read.changes(cast)
    (await ended(poll)).ok()


@pytest.mark.parametrize("name", READS)
async def test_poll_ends_when_its_token_is_revoked(cast: Cast, name: str) -> None:
    read = READS[name]
    poll = await begin(cast, read)
    if read.who == "ada":
        await revoke_personal_token(await cast.ada.actor(), await Token.get(id=cast.ada.token_id))
    else:
        await revoke(cast)
    (await ended(poll)).refused(401)


@pytest.mark.parametrize("name", READS)
async def test_what_is_known_no_more_is_answered_at_once(cast: Cast, name: str) -> None:
    read = READS[name]
    path = read.path(cast)
    path += f"{'&' if '?' in path else '?'}wait_seconds=50&known={'pause' if name == 'heartbeat' else 'older'}"
    (await ended(asyncio.create_task(getattr(cast, read.who).call(read.method, path)))).ok()


async def test_agent_that_is_moved_no_longer_waits_for_its_former_board(cast: Cast) -> None:
    poll = await begin(cast, READS["approvals of an agent"])
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": str(cast.other_board.id)})).ok()
    (await ended(poll)).refused(404)


async def test_person_who_loses_a_board_no_longer_waits_for_its_needs(cast: Cast) -> None:
    await cast.ask(cast.vega)
    known = (await cast.cleo.get("/needs")).ok()
    poll = asyncio.create_task(cast.cleo.get(f"/needs?wait_seconds=50&known={known['version']}"))
    await until_waiting(needs.channel_of(cast.organization.id))
    (await cast.ada.call("PUT", f"{await member_path(cast, cast.cleo)}/access", {})).ok()
    assert known["total"] == 1 and (await ended(poll)).ok()["total"] == 0


async def test_need_that_is_put_off_answers_its_person(cast: Cast) -> None:
    poll = await begin(cast, READS["needs"])
    one = (await cast.ada.get("/needs")).ok()["items"][0]
    (await cast.ada.call("PUT", f"/needs/{one['id']}/snooze", {"until_changed": True})).ok()
    assert one["id"] not in [each["id"] for each in (await ended(poll)).ok()["items"]]


async def test_need_that_begins_with_the_clock_answers_who_waits(cast: Cast) -> None:
    await cast.ask(cast.vega)
    [one] = (await cast.ada.get("/needs")).ok()["items"]
    until = stamp(1)
    (await cast.ada.call("PUT", f"/needs/{one['id']}/snooze", {"until": times.wire(until)})).ok()
    known = (await cast.ada.get("/needs")).ok()
    assert known["items"] == [] and not wakeup_channels.is_awaited(needs.FAMILY)
    poll = asyncio.create_task(cast.ada.get(f"/needs?wait_seconds=50&known={known['version']}"))
    await until_waiting(needs.channel_of(cast.organization.id))
    assert wakeup_channels.is_awaited(needs.FAMILY)
    with times.travelled(timedelta(minutes=2)):
        await deadlines.notify_returns(until, until + timedelta(seconds=1))
        assert [each["id"] for each in (await ended(poll)).ok()["items"]] == [one["id"]]


async def test_heartbeat_waits_through_a_pause_until_work_is_resumed(cast: Cast) -> None:
    await pause(cast)
    poll = asyncio.create_task(cast.vega.post("/agent/heartbeat?wait_seconds=50&known=pause"))
    await until_waiting(directives.channel_of(cast.organization.id))
    (await cast.ada.call("PUT", f"{cast.home}/work-state", {"state": "running"})).ok()
    assert (await ended(poll)).ok()["directive"] == "continue"


async def test_heartbeat_answers_when_a_budget_is_used_up_and_when_it_is_raised(cast: Cast) -> None:
    budget = (await cast.ada.post("/budgets", {"board_id": str(cast.board.id), "unit": "tokens", "limit": 10})).ok()
    poll = asyncio.create_task(cast.vega.post("/agent/heartbeat?wait_seconds=50"))
    await until_waiting(directives.channel_of(cast.organization.id))
    (await cast.rigel.post("/agent/usage", {"input_tokens": 10})).ok()
    assert (await ended(poll)).ok()["directive"] == "stop"
    poll = asyncio.create_task(cast.vega.post("/agent/heartbeat?wait_seconds=50&known=stop"))
    await until_waiting(directives.channel_of(cast.organization.id))
    (await cast.ada.patch(f"/budgets/{budget['id']}", {"limit": 1000})).ok()
    assert (await ended(poll)).ok()["directive"] == "continue"


@pytest.mark.parametrize(("least", "seconds"), [(True, 40.0), (False, 50.0)])
async def test_wait_ends_up_to_a_fifth_earlier(monkeypatch: pytest.MonkeyPatch, least: bool, seconds: float) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: low if least else high)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 1000.0)
    end = wakeup_channels.end_of_wait(50)
    monkeypatch.undo()
    assert end == 1000.0 + seconds


async def test_every_wait_ends_at_a_moment_of_its_own(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may wait asks `end_of_wait` when it ends: here at once."""
    question, approval = await ask(cast), await cast.ask(cast.vega)
    until = (times.clock_now() + timedelta(hours=1)).isoformat()
    held = {"program": "claude-code", "host_label": "ada-laptop", "account": "5f", "kind": "window", "words": ""}
    ids = {
        "board_id": str(cast.board.id), "question_id": question["id"], "approval_id": approval["id"],
        "hold_id": (await cast.vega.post("/agent/holds", held | {"until": until})).ok()["id"],
    }  # fmt: skip
    asked: list[float] = []

    def end_of_wait(seconds: float) -> float:
        asked.append(seconds)
        return asyncio.get_running_loop().time()

    monkeypatch.setattr(wakeup_channels, "end_of_wait", end_of_wait)
    for one in [one for one in OPERATIONS if one.is_long_poll]:
        caller = cast.ada if one.who == "user" else cast.vega
        path = re.sub(r"<(\w+)>", lambda match: ids[match[1]], one.path.removeprefix("/api/v1"))
        known = (await caller.get(path)).ok().get("version", "") if "version" in str(one.returns) else ""
        asked.clear()
        body = {} if one.body is None else {"wait_seconds": 50}
        query = "" if body else f"?wait_seconds=50{f'&known={known}' if known else ''}"
        (await ended(asyncio.create_task(caller.call(one.method, path + query, body)))).ok()
        assert asked == [50], one.operation_id
    assert wakeup_channels.waiting(channel_of_work(cast.board.id)) == 0
    assert wakeup_channels.channels_waiting(approvals.POLLS.channel_of(approval["id"])) == 0
