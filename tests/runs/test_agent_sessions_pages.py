"""Sessions of agents as people see them: in the panel of a task, as a page, and as a list."""

from datetime import timedelta
from typing import Any

import pytest

from mission_control.boards.models import Run
from mission_control.core import times
from mission_control.runs.models import Activity, AgentSession
from tests.agent_sessions import act, announce, begin, put
from tests.cast import Cast
from tests.claiming import taken
from tests.visitor import Visitor, visitor

pytestmark = pytest.mark.dialect

PLAN = [
    {"text": "Measure", "state": "completed"},
    {"text": "Polish", "state": "in_progress"},
    {"text": "Hand in", "state": "pending"},
]


def page_of(session: AgentSession) -> str:
    return f"/boards/{session.board_id}/sessions/{session.id}"


async def seen_by_dan(cast: Cast, url: str) -> Any:
    return await (await visitor(cast.app, cast.dan)).get(url)


async def test_panel_shows_plan_step_and_cost(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    session = await begin(cast, task, plan=PLAN, branch="mirror", is_doing_over=False)
    await act(session, "Read a.md", "Read b.md", "Searched for dust", "Ran `make test`")
    await Run.filter(task_id=task["id"]).update(cost_micros=840_000, input_tokens=400_000)
    seen = await seen_by_dan(cast, cast.task(task))
    seen.has("Vega works on this", "Plan, 1 of 3 done", "Polish", "0.84 USD, 400k tokens", "mirror", page_of(session))
    seen.has("Read 2 files, searched once", "Ran <code>make test</code>", "4 actions", "last sign")


async def test_no_step_of_a_plan_goes_on_after_the_end(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(), plan=PLAN)
    (await seen_by_dan(cast, page_of(session))).has("Now: ")
    await put(session, ended_at=times.clock_now(), end_reason="closed")
    (await seen_by_dan(cast, page_of(session))).has("Polish").lacks("Now: ")


async def test_panel_without_a_session_invents_nothing(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(cast.task(task), {"status": "in_progress"})).ok()
    (await seen_by_dan(cast, cast.task(task))).has("Vega works on this").lacks("Plan,", "Open session")
    (await cast.vega.patch(cast.task(task), {"status": "inbox"})).ok()
    (await seen_by_dan(cast, cast.task(task))).lacks("works on this")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"failures": 5, "failing": "No space left"}, ("Vega is stuck", "5 times: No space left")),
        ({"state": "idle"}, ("Vega has finished its turn",)),
        ({"state": "waiting"}, ("Vega waits for an answer",)),
    ],
    ids=["stuck", "idle", "waiting"],
)
async def test_box_says_how_the_work_goes(cast: Cast, fields: dict[str, Any], says: tuple[str, ...]) -> None:
    task = await cast.add_task()
    await begin(cast, task, **fields)
    (await seen_by_dan(cast, cast.task(task))).has(*says)


async def test_box_of_a_waiting_run(cast: Cast) -> None:
    task = await cast.add_task()
    await begin(cast, task)
    now = times.clock_now()
    await Run.filter(task_id=task["id"]).update(parked_at=now - timedelta(minutes=12), lease_expires_at=None)
    (await seen_by_dan(cast, cast.task(task))).has("Vega waits for an answer", "12 min</time>")
    await Run.filter(task_id=task["id"]).update(ready_at=now)
    (await seen_by_dan(cast, cast.task(task))).has("Vega has its answer and goes on")


async def test_open_panel_gets_only_the_work_of_a_sign(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    session = await begin(cast, task)
    await act(session, "Read a.md")
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{cast.home}/live?panel=task:{task['id']}") as watch:
        await act(session, "Changed b.md")
        await announce(cast, session)
        text = await watch.until(f"#run-acts-{session.run_id}")
        assert f"#task-{task['id']}-panel-work" in text and "Changed b.md" in text
        assert f"#task-{task['id']}-panel-timeline" not in text and f"#task-{task['id']}-panel-facts" not in text


async def test_ended_run_leads_to_its_session(cast: Cast) -> None:
    task = await cast.add_task()
    session = await begin(cast, task)
    await act(session, "Read a.md", "Ran `make`")
    (await cast.vega.post(f"/agent{cast.task(task)}/completions", {"fence": 1, "summary": "It shines."})).ok()
    (await seen_by_dan(cast, cast.task(task))).has("2 actions", page_of(session)).lacks("works on this")


async def _turns(session: AgentSession) -> None:
    await act(session, "Why is it dull", kind="RUN_STARTED", detail={"text": "Why is it dull?\nChange nothing."})
    await act(session, "Read a.md", "Read b.md")
    await act(session, "Dust", kind="TEXT_MESSAGE_END", detail={"text": "There is dust on the mirror."})
    await act(session, "Clean it", kind="RUN_STARTED", detail={"text": "Clean it."})
    await act(session, "Ran `wipe --all`", state="failed", detail={"error": "line 1\nline 2\nno cloth <here>"})


async def test_session_shows_its_turns(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(title="Grind"), client="claude-code", host_label="attic")
    await _turns(session)
    seen = await seen_by_dan(cast, page_of(session))
    seen.has("Vega on attic works", "Why is it dull?\nChange nothing.", "There is dust on the mirror.", "Claude Code")
    seen.has("Read 2 files", "<code>wipe --all</code>", "failed", "no cloth &lt;here&gt;", "#1</a>")
    eve = await visitor(cast.app, cast.eve)
    (await eve.get(page_of(session))).is_status(404)
    (await eve.get(f"{page_of(session)}/live")).is_status(404)


async def test_search_marks_and_unfolds(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task())
    await _turns(session)
    seen = await seen_by_dan(cast, f"{page_of(session)}?q=B.MD")
    seen.has("1 found", "Read <mark>b.md</mark>")
    assert seen.text.count("<details open") + seen.text.count(" open>") >= 2
    (await seen_by_dan(cast, f"{page_of(session)}?q=cloth")).has("1 found", "no <mark>cloth</mark> &lt;here&gt;")
    (await seen_by_dan(cast, f"{page_of(session)}?q=%3Cscript%3E")).has("nothing found")


async def test_older_actions_are_on_pages_of_their_own(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(), seq=450)
    now = times.clock_now()
    await Activity.bulk_create(
        Activity(session_id=session.id, seq=seq, at=now, kind="TOOL_CALL_END", title=f"Called tool {seq}.")
        for seq in range(1, 451)
    )
    seen = (await seen_by_dan(cast, page_of(session))).has(
        "tool 450.", "tool 251.", "450 actions in all", "?before=251"
    )
    seen.lacks("tool 250.")
    seen = (await seen_by_dan(cast, f"{page_of(session)}?before=251")).has(
        "tool 250.", "tool 51.", "Back to the newest"
    )
    seen.lacks("tool 251.", "tool 50.")
    seen = (await seen_by_dan(cast, f"{page_of(session)}?q=tool+7.")).has("1 found", "tool 6.", "tool 8.")
    seen.lacks("tool 5.", "tool 9.", "tool 450.")
    (await seen_by_dan(cast, f"{page_of(session)}?q=hammer")).has("nothing found", "In the newest turn nothing")


async def test_open_session_gets_the_newest_turn_only(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task())
    await act(session, "Why", kind="RUN_STARTED", at=times.clock_now() - timedelta(hours=1))
    await act(session, "Then", kind="RUN_STARTED", at=times.clock_now() - timedelta(minutes=30))
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching(f"{page_of(session)}/live") as watch:
        await act(session, "Read a.md")
        await announce(cast, session)
        text = await watch.until("Read a.md")
        assert "#session-newest" in text and "#session-earlier" not in text
        await act(session, "Once more", kind="RUN_STARTED")
        await announce(cast, session)
        assert "#session-earlier" in await watch.until("Once more")


@pytest.mark.parametrize(
    ("client", "shown", "listed"),
    [("api", "its own", ""), ("claude-code", "Claude Code 2.1", "Claude Code 2.1"), ("gantry", "gantry 2.1", "gantry")],
)
async def test_program_has_the_name_that_people_know(cast: Cast, client: str, shown: str, listed: str) -> None:
    session = await begin(cast, await cast.add_task())
    await put(session, client=client, client_version=None if client == "api" else "2.1")
    (await seen_by_dan(cast, page_of(session))).has(f"<dt>Program</dt><dd>{shown}</dd>")
    found = (await seen_by_dan(cast, "/agents/sessions")).text
    assert listed in found and ", api" not in found


async def _groups(dan: Visitor, url: str = "/agents/sessions") -> dict[str, str]:
    """The list by the headings of its groups."""
    parts = (await dan.get(url)).text.split('<h2 id="sessions-')[1:]
    return {one.partition('"')[0]: one for one in parts}


async def test_list_groups_sessions_by_what_they_wait_for(cast: Cast) -> None:
    titles = ("Asks", "Works", "Stuck", "Idle", "Gone", "Silent")
    made = {one: await begin(cast, await cast.add_task(title=f"{one} {one}")) for one in titles}
    await put(made["Asks"], state="waiting")
    await put(made["Stuck"], failures=4, failing="No space")
    await put(made["Idle"], state="idle")
    await put(made["Gone"], ended_at=times.clock_now(), end_reason="closed", cost_micros=70_000)
    old = times.clock_now() - timedelta(minutes=20)
    await put(made["Silent"], client="codex", last_seen_at=old)
    dan = await visitor(cast.app, cast.dan)
    groups = await _groups(dan)
    assert list(groups) == ["asks", "works", "stands", "idle", "ended"]
    assert "Asks Asks" in groups["asks"] and "Works Works" in groups["works"] and "Idle Idle" in groups["idle"]
    assert all(one in groups["stands"] for one in ("Stuck Stuck", "4 times: no space", "Silent Silent", "20 min"))
    assert all(one in groups["ended"] for one in ("Gone Gone", "closed", "0.07 USD"))
    assert list(await _groups(dan, "/agents/sessions?q=codex+vega")) == ["stands"]
    (await dan.get("/agents/sessions?q=nobody")).has("Nothing matches")
    assert not await _groups(await visitor(cast.app, cast.eve))


async def test_open_list_follows_a_session(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task())
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching("/agents/sessions/live") as watch:
        await act(session, "Changed b.md")
        await announce(cast, session)
        assert "#sessions" in await watch.until("changed b.md")


@pytest.mark.parametrize(
    ("fields", "says", "age"),
    [
        ({"doing_at": timedelta(minutes=3)}, "ran make test", "3 min"),
        ({"failures": 4, "failing": "No space left"}, "same error 4 times: no space left", "0 s"),
        ({"last_seen_at": timedelta(minutes=17), "client": "codex"}, "gives no sign", "17 min</time>"),
    ],
    ids=["works", "stuck", "silent"],
)
async def test_home_says_what_agents_do(cast: Cast, fields: dict[str, Any], says: str, age: str) -> None:
    now = times.clock_now()
    moments = {name: now - one for name, one in fields.items() if isinstance(one, timedelta)}
    await begin(cast, await cast.add_task(title="Grind"), **{**fields, **moments})
    working = (await seen_by_dan(cast, "/")).text.partition('id="working-title"')[2].partition("</section>")[0]
    assert "<strong>Vega</strong>" in working and f"#1 {says}" in working and age in working, working


async def test_open_home_gets_the_row_of_an_agent_that_reports(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(title="Grind"))
    dan = await visitor(cast.app, cast.dan)
    async with dan.watching("/home/live") as watch:
        await act(session, "Changed b.md")
        await announce(cast, session)
        text = await watch.until("changed b.md")
        assert f'hx-target="#now-{cast.vega.id}-1"' in text and "#home-working" not in text


async def test_feeds_say_in_words_that_sessions_begin_and_end(cast: Cast) -> None:
    task = await cast.add_task(title="Grind")
    await taken(cast, task_id=task["id"])
    (await cast.vega.post("/agent/reports", {"items": [{"title": "Read a.md"}], "ended": True})).ok()
    (await cast.atlas.post("/agent/reports", {"session": {"external_id": "free"}, "ended": True})).ok()
    feed = (await seen_by_dan(cast, "/activity")).has("closed a session at", "</strong> opened a session  ")
    feed.lacks("vega began", "atlas began", "session of vega", "session of atlas")
    (await seen_by_dan(cast, cast.task(task))).lacks("closed a session", "opened a session")


async def test_sessions_are_found_by_their_words_and_by_what_was_done(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(title="Grind"), branch="fix/coma", host_label="dome-2")
    await act(session, "Ran `figaro --all`", "Read a.md")
    await put(session, ended_at=times.clock_now() - timedelta(days=3), state="ended", end_reason="handed in")
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    for words in ("coma", "dome-2 grind", "FIGARO", "vega figaro"):
        (await dan.with_htmx.get(f"/palette?q={words}")).has("Sessions", "Vega: Grind", page_of(session))
        (await dan.get(f"/agents/sessions?q={words}")).has(page_of(session), "handed in", "in the last month")
        (await eve.with_htmx.get(f"/palette?q={words}")).lacks(page_of(session))
    (await dan.with_htmx.get("/palette?q=figaro+nothing")).lacks(page_of(session))
    (await dan.get("/agents/sessions")).lacks(page_of(session))  # ended days ago
    (await dan.get("/palette?q=figaro")).has("Vega: Grind")
    await put(session, ended_at=times.clock_now() - timedelta(days=31))
    (await dan.with_htmx.get("/palette?q=figaro")).lacks(page_of(session))


@pytest.mark.parametrize("asks", ["approval", "question"])
async def test_waiting_work_leads_to_what_it_asks(cast: Cast, asks: str) -> None:
    task = await cast.add_task()
    session = await begin(cast, task)
    if asks == "approval":
        asked = await cast.ask(cast.vega, task, park=True)
    else:
        new = {"content": "Which one?", "options": [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}], "park": True}
        asked = (await cast.vega.post(f"/agent{cast.home}/questions", new)).ok()
    page = f'href="{cast.home}/{asks}s/{asked["id"]}"'
    (await seen_by_dan(cast, page_of(session))).has(page, "See what it asks")
    (await seen_by_dan(cast, cast.task(task))).has(page, "See what it asks")
    (await seen_by_dan(cast, f"{cast.home}/{asks}s/{asked['id']}")).is_status(200)


async def test_session_with_its_answer_asks_nobody(cast: Cast) -> None:
    session = await begin(cast, await cast.add_task(title="Grind"))
    moments = {"parked_at": times.clock_now() - timedelta(minutes=9), "ready_at": times.clock_now()}
    await Run.all().update(lease_expires_at=None, **moments)
    listed = await seen_by_dan(cast, "/agents/sessions")
    listed.has("has its answer and goes on", "Works").lacks("Asks people")
    (await seen_by_dan(cast, page_of(session))).has("has its answer and goes on").lacks("See what it asks")
