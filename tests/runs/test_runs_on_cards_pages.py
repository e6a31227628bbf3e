"""What cards say of the work on them: what the agent does, since when, and that it waits, is silent or stuck."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from mission_control.agents.models import Agent
from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions import signals as session_signals
from tests.agent_sessions import act, announce, begin, put
from tests.cast import Cast
from tests.statements import counted
from tests.visitor import visitor


def ago(**by: int) -> Any:
    return times.clock_now() - timedelta(**by)


async def test_card_says_what_the_agent_does(cast: Cast) -> None:
    task = await cast.add_task(title="Grind the mirror")
    await begin(cast, task, doing="Ran `make test`, 2 of 214 failed", doing_at=ago(minutes=3))
    (await (await visitor(cast.app, cast.dan)).get(cast.home)).has(
        "<b>Vega:</b> ran make test, 2 of 214 failed", 'data-old="300">3 min</time>', "Working"
    ).lacks("card-foot")


@pytest.mark.parametrize(
    ("fields", "badge", "says"),
    [
        ({"doing": None}, "Starts", None),
        ({"failures": 4, "failing": "No space left on device"}, "Stuck", "4 times: no space left on device"),
        ({"state": "waiting"}, "Asks you", "ran make test"),
        ({"last_seen_at": timedelta(minutes=16), "doing_at": timedelta(minutes=16)}, "Silent 16 m", "16 min</time>"),
        ({"doing_at": timedelta(minutes=6)}, "Working", 'data-tone="warn"'),
        ({"ended_at": timedelta(0)}, "Working", None),
    ],
    ids=["starts", "stuck", "asks", "silent", "old", "ended"],
)
async def test_badge_says_how_the_work_goes(cast: Cast, fields: dict[str, Any], badge: str, says: str | None) -> None:
    task = await cast.add_task()
    moments = {name: ago(seconds=int(one.total_seconds())) for name, one in fields.items() if hasattr(one, "days")}
    await begin(cast, task, **{**fields, **moments})
    if badge.startswith("Silent"):
        await Agent.filter(id=cast.vega.id).update(last_seen_at=ago(minutes=16))
        await Run.filter(task_id=task["id"]).update(started_at=ago(minutes=20))
    seen = await (await visitor(cast.app, cast.dan)).get(cast.home)
    seen.has(badge)
    seen.has(says) if says else seen.lacks("card-now")


async def test_agent_without_sessions_is_silent_as_well(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await Agent.filter(id=cast.vega.id).update(last_seen_at=ago(minutes=17))
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(cast.home)).lacks("Silent")  # it has the task since a moment ago
    await Run.filter(task_id=task["id"]).update(started_at=ago(minutes=20))
    with times.travelled(timedelta(minutes=1)):
        (await dan.get(cast.home)).has("Silent 18 m")


async def test_card_of_a_waiting_run_says_for_what(cast: Cast) -> None:
    task = await cast.add_task()
    await begin(cast, task)
    await Run.filter(task_id=task["id"]).update(parked_at=ago(minutes=12), lease_expires_at=None)
    dan = await visitor(cast.app, cast.dan)
    (await dan.get(cast.home)).has("Asks you", "<b>Vega:</b> waits for an answer", "12 min</time>")
    await Run.filter(task_id=task["id"]).update(ready_at=ago(minutes=2))
    (await dan.get(cast.home)).has("Answered", "<b>Vega:</b> has its answer and goes on", "2 min</time>")


async def test_open_board_gets_the_new_line_of_one_card(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(title="Grind"))
    await cast.add_task(title="Polish")
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live") as watch:
        await act(session, "Ran `pytest`")
        await announce(cast, session)
        text = await watch.until("ran pytest")
        assert f"#task-{session.task_id}" in text and "Polish" not in text
    await put(session, doing="Changed 2 files", seq=5)  # what is kept for the next reader is made anew
    (await dan.get(cast.home)).has("changed 2 files")


async def test_lines_cost_no_statement_for_each_card(cast: Cast) -> None:
    dan = await visitor(cast.app, cast.dan)

    async def statements() -> int:
        with counted() as found:
            (await dan.get(cast.home)).is_status(200)
        return len(found)

    await begin(cast, await cast.add_task())
    await statements()
    before = await statements()
    for _ in range(3):
        await begin(cast, await cast.add_task())
    assert await statements() <= before + 1


async def test_report_is_shown_on_open_cards(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live") as watch:
        items = [{"kind": "TOOL_CALL_START", "detail": {"tool": "bash", "command": "make test"}}]
        (await cast.vega.post("/agent/reports", {"items": items})).ok()
        await watch.until("<b>Vega:</b> running make test")
        items = [{"title": "Ran make test, 2 of 214 failed", "state": "failed"}]
        (await cast.vega.post("/agent/reports", {"items": items})).ok()
        with times.travelled(timedelta(seconds=1)):
            await session_signals.announce_due()
        await watch.until("<b>Vega:</b> ran make test, 2 of 214 failed")


async def quiet(cast: Cast, **by: int) -> dict[str, Any]:
    """Return a task at which Vega works and gave its last sign so long ago."""
    task = await cast.add_task(title=f"Quiet for {by}")
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    await Run.filter(task_id=task["id"]).update(started_at=ago(hours=2))
    await Agent.filter(id=cast.vega.id).update(last_seen_at=ago(**by))
    return task


async def found(cast: Cast, query: str) -> set[int]:
    page = await (await visitor(cast.app, cast.dan)).get(f"{cast.home}?q={quote(query)}")
    return {int(one) for one in re.findall(r'data-number="(\d+)"', page.text)}


async def test_filter_finds_what_gives_no_sign(cast: Cast) -> None:
    await cast.add_task()
    number = (await quiet(cast, minutes=7))["number"]
    assert await found(cast, "silent:>5m") == await found(cast, "silent:5m") == {number}
    assert await found(cast, "silent:>10m") == await found(cast, "is:still") == set()
    assert number not in await found(cast, "-silent:>5m")
    assert await found(cast, "silent:soon") == set()  # words to search for
    run = await Run.get(ended_at=None)
    await AgentSession.create(
        board_id=cast.board.id, agent_id=run.agent_id, agent_name="Vega", run_id=run.id, external_id=str(run.id)
    )
    assert await found(cast, "silent:>5m") == set()  # its session gives signs


async def test_what_stands_still_is_silent_or_stuck_and_waits_for_nobody(cast: Cast) -> None:
    stuck = await cast.add_task()
    session = await begin(cast, stuck, failures=4, failing="No space left")
    task = await quiet(cast, minutes=20)
    assert await found(cast, "is:still") == {task["number"], stuck["number"]}
    (await (await visitor(cast.app, cast.dan)).get(cast.home)).has("Stands still", 'id="view-still"')
    await Run.filter(task_id=task["id"]).update(parked_at=ago(minutes=19), lease_expires_at=None)
    with times.travelled(timedelta(minutes=1)):
        assert await found(cast, "is:still") == {stuck["number"]}
        await put(session, failures=0)
        assert await found(cast, "is:still") == set()


async def test_open_filter_follows_signs_of_life(cast: Cast) -> None:
    await quiet(cast, minutes=20)
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live?q=is:still") as watch:
        (await cast.vega.get("/agent/healthz")).ok()
        text = await watch.until("#view-still")
        assert 'data-list="list-in_progress" data-order=""' in text


@pytest.mark.parametrize("whose", ["agent", "board", "organization"])
async def test_card_and_agent_say_that_the_budget_is_used_up(cast: Cast, whose: str) -> None:
    await begin(cast, await cast.add_task())
    dan, ada = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.ada)
    (await dan.get(cast.home)).has("Working").lacks("Out of budget")
    (await ada.get("/agents")).lacks("Out of budget")
    subject = {"agent": {"agent_id": str(cast.vega.id)}, "board": {"board_id": str(cast.board.id)}}.get(whose, {})
    (await cast.ada.post("/budgets", {"unit": "tokens", "period": "day", "limit": 10, **subject})).ok()
    (await cast.vega.post("/agent/reports", {"usage": {"key": "1", "input_tokens": 20}})).ok()
    (await dan.get(cast.home)).has("Out of budget")
    (await ada.get("/agents")).has("Out of budget")
    (await ada.get(f"/agents/{cast.vega.id}")).has("Out of budget")
    with times.travelled(timedelta(days=1)):
        (await dan.get(cast.home)).lacks("Out of budget")
        (await ada.get("/agents")).lacks("Out of budget")
