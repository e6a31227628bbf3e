"""What programs said while the server was away: it comes late, counts when it happened, and the gap is told."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from mission_control.agents.models import Budget, UsageEntry
from mission_control.approvals.models import Approval
from mission_control.core import times
from mission_control.runs.hooks import queue as hook_queue
from mission_control.runs.models import AgentSession
from mission_control.runs.sessions.reports import OLDEST
from tests.agents.test_budgets import limit
from tests.cast import Cast
from tests.claiming import taken
from tests.hooks import SESSION, Event, activities, called, event, hook, recorded, sessions, told
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

MINUTE, DAY = 60, 24 * 60 * 60
GAP: Event = {"hook_event_name": "NotReachable", "session_id": SESSION, "seconds": 600, "late": 31, "lost": 2}


async def late(cast: Cast, sent: Event, age: int, client: str = "claude-code") -> Any:
    at = int(times.epoch_seconds()) - age
    return (await cast.vega.post(f"/connect/{client}/hooks?at={at}&age={age}", sent)).ok()


def minutes_since(moment: str) -> int:
    at = times.naive_utc(datetime.fromisoformat(moment))
    return round((times.clock_now() - at).total_seconds() / MINUTE)


async def test_late_events_count_when_they_happened(cast: Cast) -> None:
    await late(cast, event("SessionStart", source="startup"), 30 * MINUTE)
    await late(cast, event("UserPromptSubmit", prompt="A"), 29 * MINUTE)
    await late(cast, called("PreToolUse", "Bash", "1", command="make"), 28 * MINUTE)
    await late(cast, called("PostToolUse", "Bash", "1", command="make"), 20 * MINUTE)
    await hook_queue.write()
    [session] = await sessions(cast)
    assert [minutes_since(session[name]) for name in ("started_at", "last_seen_at")] == [30, 20]
    items = await activities(cast, session["id"])
    assert [minutes_since(one["at"]) for one in items] == [30, 29, 28, 20]
    await late(cast, event("SessionEnd", reason="logout"), 10 * MINUTE)
    await hook_queue.write()
    [session] = await sessions(cast)
    assert (session["state"], minutes_since(session["ended_at"])) == ("ended", 10)


async def test_late_event_of_a_session_that_goes_on_moves_nothing_back(cast: Cast) -> None:
    await hook(cast.vega, event("UserPromptSubmit", prompt="A"))
    await late(cast, called("PreToolUse", "Bash", "1", command="make"), 5 * MINUTE)
    await hook(cast.vega, event("Stop"))
    await hook_queue.write()
    [session] = await sessions(cast)
    assert minutes_since(session["last_seen_at"]) == 0 == minutes_since(session["started_at"])
    assert session["state"] == "idle"


async def test_event_that_arrived_after_all_counts_once(cast: Cast) -> None:
    """Its answer did not reach the program, which kept the event."""
    for sent in (event("UserPromptSubmit", prompt="A"), event("Notification", notification_type="other")):
        at = int(times.epoch_seconds())
        for more in ("", "&age=70"):
            (await cast.vega.post(f"/connect/claude-code/hooks?at={at}{more}", sent)).ok()
    await hook_queue.write()
    [session] = await sessions(cast)
    assert [one["title"] for one in await activities(cast, session["id"])] == ["Began a turn", "Notification other"]


async def test_nothing_is_older_than_a_week_or_of_the_future(cast: Cast) -> None:
    await late(cast, event("UserPromptSubmit", prompt="A"), 400 * DAY)
    await hook_queue.write()
    [session] = await sessions(cast)
    [item] = await activities(cast, session["id"])
    assert minutes_since(item["at"]) == OLDEST / timedelta(minutes=1) == minutes_since(session["started_at"])
    (await cast.vega.post("/connect/claude-code/hooks?age=-5", event("Stop"))).refused(422)


async def test_late_question_asks_nobody_and_no_note_rides_on_a_late_answer(cast: Cast) -> None:
    await hook(cast.vega, event("UserPromptSubmit", prompt="A"))
    await hook_queue.write()
    [session] = await sessions(cast)
    (await cast.ada.post(f"{cast.home}/sessions/{session['id']}/notes", {"text": "Look at the hull."})).ok()
    asks = event("PermissionRequest", tool_name="Bash", tool_input={"command": "make"})
    assert await late(cast, asks, MINUTE) == {} == await late(cast, called("PostToolUse", "Bash", "1"), MINUTE)
    await hook_queue.write()
    assert await Approval.filter(session_id=session["id"]).count() == 0
    assert "Look at the hull." in str(await hook(cast.vega, called("PostToolUse", "Bash", "2", command="ls")))


async def test_late_usage_counts_on_its_day_and_not_in_the_budget_of_today(cast: Cast) -> None:
    for period in ("day", "total"):
        await limit(cast, 10_000, agent_id=str(cast.vega.id), period=period)
    requested = recorded("codex-hooks")["PostModelRequest"]
    await late(cast, requested, 2 * DAY, "codex")
    await hook_queue.write()
    [entry] = await UsageEntry.all()
    assert entry.day == (times.clock_now() - timedelta(days=2)).date().isoformat()
    used = {one.period: one.used_amount async for one in Budget.filter(agent_id=cast.vega.id)}
    assert used["day"] == 0 < used["total"]


async def test_gap_is_told_once_and_is_nothing_that_the_agent_did(cast: Cast) -> None:
    await hook(cast.vega, called("PreToolUse", "Bash", "1", command="make"))
    for _ in range(2):
        await late(cast, GAP, 600)
    await late(cast, {**GAP, "session_id": "other", "late": 1, "lost": 0}, 600, "codex")
    await hook_queue.write()
    mine = await AgentSession.get(external_id=SESSION)
    assert (mine.doing, mine.state) == ("Running make", "working")
    [_, gap] = await activities(cast, mine.id)
    words = "Not reachable for 10 min; 31 events came later, 2 were lost; what it cost is not known"
    assert (gap["kind"], gap["title"]) == ("GAP", words)
    assert gap["detail"] == {"seconds": 600, "late": 31, "lost": 2}
    other = await AgentSession.get(external_id="other")
    assert told(await activities(cast, other.id)) == [("GAP", "Not reachable for 10 min; 1 event came later", None)]


async def test_look_at_a_connection_asks_nobody_costs_nothing_and_serves_no_task(cast: Cast) -> None:
    await cast.add_task()
    await taken(cast)
    path = "/connect/codex/hooks?check=check-1"
    requested, session = recorded("codex-hooks")["PostModelRequest"], {"session_id": "look"}
    for sent in ({**requested, **session}, {**called("PreToolUse", "Bash", "1", command="ls"), **session}):
        assert (await cast.vega.post(path, sent)).ok() == {}
    noted = (await cast.vega.post(path, {**called("PostToolUse", "Bash", "1", command="ls"), **session})).ok()
    assert noted["hookSpecificOutput"]["additionalContext"] == "check-1 note"
    asks = event("PermissionRequest", tool_name="Bash", tool_input={"command": "make"}, **session)
    refused = (await cast.vega.post(path, asks)).ok()["hookSpecificOutput"]["decision"]
    assert refused == {"behavior": "deny", "message": "check-1 refusal"}
    await hook_queue.write()
    look = await AgentSession.get(external_id="look")
    assert (look.title, look.run_id, look.input_tokens) == ("Connection check", None, 1200)
    assert await UsageEntry.all().count() == 0 == await Approval.all().count()
    (await cast.vega.post("/connect/codex/hooks?check=a%20b", requested)).refused(422)
    listed = await (await visitor(cast.app, cast.dan)).get("/agents/sessions")
    found = await (await visitor(cast.app, cast.dan)).get("/agents/sessions?q=connection+check")
    listed.lacks("Connection check")
    found.has("Connection check")


async def test_page_says_from_when_to_when_nothing_is_known(cast: Cast) -> None:
    await late(cast, GAP, 1_200)
    await hook_queue.write()
    session = await AgentSession.get(external_id=SESSION)
    began = times.clock_now() - timedelta(seconds=1_200)
    page = await (await visitor(cast.app, cast.dan)).get(f"/boards/{session.board_id}/sessions/{session.id}")
    page.has("Not reachable from", "; 31 events came later, 2 were lost; what it cost is not known")
    page.has(times.clock_time(began), times.clock_time(began + timedelta(seconds=600)))
