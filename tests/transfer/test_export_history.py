"""The work of agents in a board's file: runs, sessions with what was done in them, and notes, as history."""

import copy
from typing import Any

import orjson
import pytest

from mission_control.events.leases import Delivery
from mission_control.runs.models import Activity, AgentSession, Note
from mission_control.runs.sessions import ends as session_ends
from mission_control.transfer import exporting, history
from tests.cast import Cast, head, kinds
from tests.runs.test_code_handed_in import CODE
from tests.things import bring
from tests.transfer.test_exports import IMPORT, SMALL, without
from tests.visitor import visitor

pytestmark = pytest.mark.dialect

MEANWHILE = {"exported_at", "ended_at", "expired_at"}  # of what went on


async def claimed(cast: Cast, title: str) -> dict[str, Any]:
    task = await cast.add_task(title=title)
    return {**task, **(await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": task["id"]})).ok()["lease"]}


async def noted(cast: Cast, task: dict[str, Any], text: str) -> None:
    (await cast.ada.post(f"{cast.task(task)}/notes", {"text": text})).ok()


async def report(cast: Cast, task: dict[str, Any], *titles: str, **more: Any) -> None:
    items = [{"kind": "TOOL_CALL_END", "title": one, "state": "ok", "detail": {"n": [1.5, None]}} for one in titles]
    (await cast.vega.post("/agent/reports", {"task_id": task["id"], "items": items, **more})).ok()


async def worked(cast: Cast) -> dict[str, Any]:
    """Export a board on which one task was handed in, one was given back and taken up again, and one is deleted."""
    await cast.rule(brief="We work in the dark.", resume_after_seconds=120, session_detail="all")
    codex = {"session": {"external_id": "c1", "client": "codex", "model": "gpt", "branch": "main"}}
    handed_in, gone = await claimed(cast, "Grind"), await claimed(cast, "Gone")
    await report(cast, gone, "Wrote the secret")
    await report(cast, gone, "Wrote a secret", **codex)
    await report(
        cast, handed_in, "Ran the tests", plan=[{"text": "Grind", "state": "completed"}],
        usage=[{"key": "r1", "input_tokens": 5, "output_tokens": 2, "cost_usd": "0.02"}],
    )  # fmt: skip
    await noted(cast, handed_in, "Use the new table.")
    for title in ("Read it", "Went on"):
        await report(cast, handed_in, title)
    work = {"fence": handed_in["fence"], "summary": "Done.", "checked": "All of it.", "status": "review"}
    work |= {"evidence": [{"title": "CI", "url": "https://ci.example.org/1"}], "code": CODE}
    (await cast.vega.post(f"/agent{cast.task(handed_in)}/completions", work)).ok()
    back = await claimed(cast, "Polish")
    (await cast.vega.delete(f"/agent{cast.task(back)}/lease?fence={back['fence']}&reason=No%20sand.")).ok()
    (await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": back["id"]})).ok()
    await report(cast, back, "Looked", **codex)
    child = {"external_id": "c2", "client": "codex", "parent": "c1"}
    await report(cast, back, "Searched", session=child, ended=True, end_reason="It found it.")
    await noted(cast, back, "Hurry.")
    (await cast.ada.delete(cast.task(gone))).ok()
    file: dict[str, Any] = (await cast.dan.get(f"{cast.home}/export")).ok()
    return file


async def test_work_of_agents_is_in_the_file_without_the_trash(cast: Cast) -> None:
    file = await worked(cast)
    kept = [file["board"][name] for name in ("brief", "resume_after_seconds", "session_detail")]
    assert kept == ["We work in the dark.", 120, "all"]
    grind, polish = file["tasks"]
    [run] = grind["runs"]
    assert (run["fence"], run["agent_name"], run["state"], run["summary"]) == (1, "Vega", "completed", "Done.")
    assert (run["checked"], run["input_tokens"], run["cost_micros"]) == ("All of it.", 5, 20_000)
    assert run["evidence"] == [{"title": "CI", "url": "https://ci.example.org/1"}]
    counted = {"check": None, "files": 1, "added": 2, "removed": 1}
    assert run["code"] == {name: CODE[name] for name in ("base", "head", "branch", "pull_request", "commits")} | counted
    assert [(one["fence"], one["state"], one["end_reason"]) for one in polish["runs"]] == [
        (1, "released", "No sand."), (2, "released", history.WENT_ON),
    ]  # fmt: skip
    sessions = {one["external_id"]: one for one in file["sessions"]}
    assert set(sessions) == {"c1", "c2", None}
    assert (sessions[None]["task"], sessions[None]["fence"], sessions[None]["client"]) == (1, 1, "api")
    assert [one["title"] for one in sessions[None]["activities"]] == ["Ran the tests", "Read it", "Went on"]
    assert sessions[None]["plan"] == [{"text": "Grind", "state": "completed"}]
    assert sessions["c2"]["parent"] == sessions["c1"]["number"] and len(sessions["c2"]["digest"]) == 64
    assert [(one["title"], one["task"], one["fence"]) for one in sessions["c1"]["activities"]] == [("Looked", 3, 2)]
    assert sessions["c1"]["digest"] is None and sessions["c1"]["end_reason"] == history.WENT_ON
    taken, waiting = file["notes"]
    assert (taken["text"], taken["sent_by"], taken["fence"]) == ("Use the new table.", "ada@example.org", 1)
    assert taken["read_at"] and not taken["expired_at"]
    assert waiting["expired_at"] and not waiting["offered_at"]
    text = orjson.dumps(file).decode()
    assert "secret" not in text and not any(str(one.id) in text for one in await AgentSession.all())


async def test_work_of_agents_is_imported_as_history(cast: Cast) -> None:
    file = await worked(cast)
    before, waiting = await head(cast), await Delivery.exclude(state="sent").count()
    answer = await bring(cast.ben, file)
    assert (answer["counts"]["runs"], answer["counts"]["sessions"]) == (3, 3)
    assert [one["what"] for one in answer["dropped"]] == ["assignee", "assignee"]
    board = f"/boards/{answer['board']['id']}"
    again = (await cast.ada.get(f"{board}/export")).ok()
    different = {"exported_at", "assigned_agent"}
    assert without(again, different) == without(file, different)
    assert [kind for kind, _ in await kinds(cast, before)] == ["board.imported"]
    assert await Delivery.exclude(state="sent").count() == waiting
    tasks = {one["title"]: one for one in (await cast.ada.get(f"{board}/tasks")).ok()["items"]}
    grind, polish = (f"{board}/tasks/{tasks[name]['id']}" for name in ("Grind", "Polish"))
    assert tasks["Grind"]["fence"] == 1 and tasks["Polish"]["fence"] == 2
    [run] = (await cast.ada.get(f"{grind}/runs")).ok()["items"]
    assert (run["summary"], run["cost_usd"], run["agent_id"]) == ("Done.", 0.02, None)
    assert (run["code"]["head"], run["code"]["diff_id"]) == (CODE["head"], None)
    (await (await visitor(cast.app, cast.ada)).get(grind)).has(CODE["branch"])
    states = [(await cast.ada.get(f"{one}/notes")).ok()["items"][0]["state"] for one in (grind, polish)]
    assert states == ["read", "expired"]
    sessions = (await cast.ada.get(f"{board}/sessions")).ok()["items"]
    assert {one["state"] for one in sessions} == {"ended"} and {one["agent_name"] for one in sessions} == {"Vega"}
    assert (await session_ends.digest_faults(30))[1] == []
    page = await visitor(cast.app, cast.ada)
    (await page.get(grind)).has("Use the new table.", "to Vega")
    for path, words in (("/agents/sessions", "Vega"), *((f"{board}/sessions/{one['id']}", "Vega") for one in sessions)):
        assert words in (await page.get(path)).text


async def test_digest_of_imported_session_shows_what_was_changed_afterwards(cast: Cast) -> None:
    await bring(cast.ada, await worked(cast))
    [new] = await AgentSession.filter(external_id="c2").exclude(board_id=cast.board.id)
    await Activity.filter(session_id=new.id).update(title="Nothing")
    fault = f"What was reported in session {new.id} of Vega was changed afterwards."
    assert (await session_ends.digest_faults(30))[1] == [fault]


async def test_erased_import_leaves_nothing(cast: Cast) -> None:
    answer = await bring(cast.eve, await worked(cast))
    assert await Delivery.filter(organization_id=cast.elsewhere.id).count() == 1
    await cast.erase(answer["board"]["id"], cast.eve)
    for model in (AgentSession, Note):
        assert await model.filter(board_id=answer["board"]["id"]).count() == 0
    assert await Delivery.filter(organization_id=cast.elsewhere.id).count() == 0


async def test_newest_sessions_and_what_was_done_in_them_are_exported(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await worked(cast)
    monkeypatch.setattr(exporting, "PAGE", 1)
    in_pages = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert without(in_pages, MEANWHILE) == without(whole, MEANWHILE)
    monkeypatch.setattr(history, "MOST_ACTIVITIES", 2)
    few = (await cast.ada.get(f"{cast.home}/export")).ok()["sessions"]
    assert [len(one["activities"]) for one in few] == [0, 0, 1]
    assert [bool(one["digest"]) for one in few] == [False, False, True]
    monkeypatch.setattr(history, "MOST_SESSIONS", 1)
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert [(one["external_id"], one["parent"]) for one in file["sessions"]] == [("c2", None)]
    await bring(cast.ada, file)


RUN = {
    "fence": 1, "agent_name": "Vega", "state": "completed", "started_at": "2026-01-01", "ended_at": "2026-01-02",
}  # fmt: skip
SESSION = {
    "number": 1, "agent_name": "Vega", "task": 1, "fence": 1, "started_at": "2026-01-01", "last_seen_at": "2026-01-01",
    "ended_at": "2026-01-02", "seq": 1, "activities": [{"seq": 1, "at": "2026-01-01", "kind": "A", "title": "T"}],
}  # fmt: skip
NOTE = {"text": "x", "task": 1, "fence": 1, "session": 1, "created_at": "2026-01-01", "expires_at": "2026-01-02"}


@pytest.mark.parametrize(("path", "value", "says"), [
    (["tasks", 0, "runs"], [RUN, RUN], "fence of task 1"),
    (["tasks", 0, "runs", 0, "state"], "running", "completed"),
    (["tasks", 0, "runs", 0, "evidence"], [{"url": "javascript:alert(1)"}], "scheme"),
    (["tasks", 0, "runs", 0, "cost_micros"], -1, "greater"),
    (["sessions", 0, "task"], 9, "task 9"),
    (["sessions", 0, "fence"], 2, "fence 2"),
    (["sessions", 0, "fence"], None, "external_id or a run"),
    (["sessions", 0, "parent"], 2, "session 2"),
    (["sessions", 0, "parent"], 1, "in a cycle"),
    (["sessions", 0, "client"], "x" * 33, "32"),
    (["sessions", 0, "digest"], "0" * 64, "those of its digest"),
    (["sessions", 0, "seq"], 0, "order of seq"),
    (["sessions", 0, "activities", 0, "fence"], 1, "fence 1"),
    (["sessions"], [SESSION, SESSION], "session number 1"),
    (["notes", 0, "session"], 2, "session 2"),
    (["notes", 0, "task"], 2, "fence 1"),
    (["notes", 0, "text"], " ", "at least 1"),
])  # fmt: skip
async def test_invalid_work_changes_nothing(cast: Cast, path: list[Any], value: Any, says: str) -> None:
    file = copy.deepcopy(SMALL | {"sessions": [SESSION], "notes": [NOTE]})
    file["tasks"][0]["runs"] = [copy.deepcopy(RUN)]
    await bring(cast.ada, file)
    place: Any = file
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    before = await head(cast)
    [item, *_] = (await cast.ada.post(IMPORT, file)).refused(422)
    assert says in item["msg"] and await kinds(cast, before) == []


async def test_imported_work_is_nobodys_and_goes_on_by_a_new_claim(cast: Cast) -> None:
    file = await worked(cast)
    answer = await bring(cast.ada, file)
    board = f"/boards/{answer['board']['id']}"
    [polish] = [one for one in (await cast.ada.get(f"{board}/tasks")).ok()["items"] if one["title"] == "Polish"]
    (await cast.ada.patch(f"{board}/tasks/{polish['id']}", {"status": "inbox"})).ok()
    (await cast.ada.patch(f"/agents/{cast.vega.id}", {"board_id": answer["board"]["id"]})).ok()
    claim = (await cast.vega.post(f"/agent{board}/claims", {})).ok()
    assert (claim["task"]["title"], claim["lease"]["fence"]) == ("Polish", 3)
    assert [one.partition(",")[0] for one in claim["earlier"]] == ["Attempt 2 by Vega", "Attempt 1 by Vega"]
