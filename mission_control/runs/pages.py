"""What a task's panel and an agent's page show of the work: reasons for waiting, runs, the timeline."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import orjson
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.page_frame import AGENT_PAGE, PAGE, Viewed
from mission_control.agents.reactions import NOTICE
from mission_control.approvals.payloads import action_words, asks_to_finish
from mission_control.core import times
from mission_control.core.amounts import short, spent
from mission_control.core.values import Paging
from mission_control.database.sql import Row, as_moment, placeholders, rows
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.people.accounts.names import person_name
from mission_control.runs.claims.waiting_reasons import reasons_of
from mission_control.runs.notes.commands import notes_of_task
from mission_control.runs.queries import runs_of_agent, runs_of_task
from mission_control.runs.work_pages import run_changes, work_of
from mission_control.tasks.activity.queries import history_of_task
from mission_control.tasks.activity.sentences import Entry
from mission_control.tasks.board.view import BoardView
from mission_control.tasks.models import Task
from mission_control.tasks.panel.frame import Panel, concerns_panel, own_key, panel_in, panel_region
from mission_control.tasks.panel.pages import TASK
from mission_control.tasks.panel.sections import size_in_words
from mission_control.tasks.queries import COMMENTS
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import Concerns
from mission_control.web.tabs import Tab

TEMPLATE = "runs/panel.html"


async def waiting(_view: BoardView, panel: Panel) -> str:
    reasons = [one for one in (await reasons_of([panel.id])).get(str(panel.id), []) if one["kind"] != "lease"]
    shown = [reason | {name: as_moment(reason[name]) for name in ("since", "until")} for reason in reasons]
    return render_macro(TEMPLATE, "waiting", panel=panel, reasons=shown) if shown else ""


def in_words(run: Row) -> Row:
    began, ended = as_moment(run["started_at"]), as_moment(run["ended_at"])
    assert began is not None
    used = run["input_tokens"] + run["output_tokens"]
    figures = [f"{short(used, run['gaps'])} tokens"] if used else []
    figures += spent(run["cost_usd"], used, run["unpriced_tokens"], run["gaps"])
    files = [file | {"size": size_in_words(file["size"])} for file in run["artifacts"]]
    took = times.elapsed(began, ended) if ended else ""
    more = {"began": began, "took": "under a minute" if took == "<1 m" else took, "figures": figures}
    lease, notified = as_moment(run["lease_expires_at"]), as_moment(run["notified_at"])
    return run | more | {"artifacts": files, "lease": lease, "notified": notified}


# A task waits for other tasks, for decisions, answers, agents, limits and budgets.
NEAR = Concerns[BoardView](
    ("task.", "approval.", "question.", "agent.", "board.", "organization.", "budget."),
    ("agent_id", "usage", "opened"),
    lambda view, news: (
        news.board_id in (view.board.id, None)
        if isinstance(news, Event)
        else news.get("board_id") in (str(view.board.id), None)
    ),
)
REGIONS = (panel_region("waiting", NEAR, waiting),)


MOST_COMMENTS, MOST_EVENTS, MOST_RUNS, MOST_DECISIONS, MOST_NOTES = 100, 200, 20, 50, 50
MOST_READ_BY = 20  # comments of people, the newest, which say who has read them
# What comments, runs and decisions tell themselves.
ELSEWHERE = (
    "task.comment", "task.note_", "task.run_completed", "task.lease_expired", "approval.requested", "session.",
)  # fmt: skip
DECIDED = {"approved": "approved", "changes_requested": "sent back", "rejected": "rejected"}


# The moments of a timeline are rows for `runs/timeline.html`, each of a kind and `at` a time.


async def timeline_of(view: BoardView, panel: Panel) -> Row:
    look, hidden = view.look, {"comments_hidden": 0, "runs_hidden": 0}
    history, moments = await history_of_task(view.board.organization_id, panel.id, MOST_EVENTS), list[Row]()
    if look.show != "runs":
        moments += await _talk(view, panel)
        hidden["comments_hidden"] = max(0, panel.comments_total - sum(not moment["is_deleted"] for moment in moments))
        moments += await _notes(panel)
    if look.show != "talk":
        runs, hidden["runs_hidden"] = await _runs(view, panel, history, whole=look.whole)
        moments += runs
    if not look.show:
        _mark_said(moments)
        moments += await _decisions(panel)
        moments += _changes(reversed(history), sorted(moment["at"] for moment in moments))
    return hidden | {"moments": sorted(moments, key=lambda moment: moment["at"])}


def _mark_said(moments: list[Row]) -> None:
    messages = {(moment["author"], moment["message"]) for moment in moments if moment["kind"] == "talk"}
    for run in (moment["run"] for moment in moments if moment["kind"] == "run"):
        run["is_said"] = (run["agent_name"], run["summary"]) in messages


async def _talk(view: BoardView, panel: Panel) -> list[Row]:
    whole = view.look.whole or view.look.comment_id is not None
    newest = await rows(
        f"{COMMENTS.replace(' FROM task_comments', ', c.deleted_at FROM task_comments')} WHERE c.task_id = ?"
        f" ORDER BY c.created_at DESC, c.id DESC{'' if whole else f' LIMIT {MOST_COMMENTS}'}",
        panel.id,
    )
    comments = [_comment(view, panel, row) for row in reversed(newest)]
    if any(comment["is_deleted"] for comment in comments):
        await _add_deleters(view, panel, comments)
    by_people = [comment for comment in comments if comment["author_kind"] == "person" and not comment["is_deleted"]]
    await _add_readers(panel, by_people)
    return comments


async def _add_deleters(view: BoardView, panel: Panel, comments: list[Row]) -> None:
    events = await rows(
        f"SELECT e.data, COALESCE({person_name('u')}, e.actor_name) AS actor FROM events e"
        " LEFT JOIN users u ON u.id = e.actor_id AND e.actor_kind = 'user'"
        " WHERE e.organization_id = ? AND e.task_id = ? AND e.kind = 'task.comment_deleted'",
        view.board.organization_id,
        panel.id,
    )
    deleted = {str(orjson.loads(event["data"]).get("comment_id")): event["actor"] or "" for event in events}
    for comment in comments:
        comment["deleted_by"] = deleted.get(str(comment["id"]), "")


def _comment(view: BoardView, panel: Panel, row: Row) -> Row:
    is_persons, is_deleted = row["user_id"] is not None, row["deleted_at"] is not None
    is_own = str(row["user_id"]) == str(view.actor.id)
    may_change = panel.may_write and not is_deleted
    return row | {
        "kind": "talk",
        "at": as_moment(row["created_at"]) or times.clock_now(),
        "message": row["message"] or "",
        "author": row["user_name"] if is_persons else row["agent_name"] or "Somebody",
        "author_kind": "person" if is_persons else "agent",
        "edited_at": as_moment(row["edited_at"]),
        "is_deleted": is_deleted,
        "is_own": is_own and may_change,
        "may_delete": may_change and (is_own or view.rights.is_admin),
        "readers": [],
    }


async def _add_readers(panel: Panel, comments: list[Row]) -> None:
    """Say of the newest comments by people which agents were told, and whether they have read it."""
    newest = {str(one["id"]): one for one in comments[-MOST_READ_BY:]}
    agents = {str(agent["id"]): agent["name"] for agent in panel.agents}
    if not newest or not agents:
        return
    for row in await rows(
        "SELECT d.agent_id, d.state, d.sent_at, d.data ->> 'comment_id' AS comment_id FROM deliveries d"
        f" WHERE d.agent_id IN ({placeholders(len(agents))}) AND d.state IN ('waiting', 'sending', 'sent', 'failed')"
        " AND d.created_at >= ? AND d.task_id = ? AND d.kind = ?",
        *(UUID(agent_id) for agent_id in agents),
        next(iter(newest.values()))["at"],
        panel.id,
        NOTICE,
    ):
        if comment := newest.get(str(row["comment_id"])):
            read_at = as_moment(row["sent_at"]) if row["state"] == "sent" else None
            comment["readers"].append({"name": agents[str(row["agent_id"])], "read_at": read_at})


async def _notes(panel: Panel) -> list[Row]:
    found, _ = await notes_of_task(panel.id, Paging(limit=MOST_NOTES, offset=0))
    runs = await rows("SELECT id, agent_name FROM task_runs WHERE task_id = ?", panel.id) if found else []
    names = {str(row["id"]): row["agent_name"] for row in runs}
    return [
        one | {"kind": "note", "at": one["created_at"], "agent_name": names.get(str(one["run_id"]), "an agent")}
        for one in found
    ]


async def _runs(view: BoardView, panel: Panel, history: list[Entry], *, whole: bool) -> tuple[list[Row], int]:
    runs, total = await runs_of_task(panel.id, Paging(limit=200 if whole else MOST_RUNS, offset=0))
    sessions, moments = await _sessions([run["id"] for run in runs]), []
    for run in map(in_words, runs):
        seen = panel.last_seen_at if str(panel.assigned_agent_id) == str(run["agent_id"]) else None
        run["is_said"] = False  # by a comment, which stands below it
        run["session_id"], run["actions"] = sessions.get(str(run["id"]), (None, 0))
        live = await _live_work(view, panel, run, history) if run["state"] == "running" else {"acts": [], "work": None}
        moments.append({"kind": "run", "at": run["began"], "run": run, "last_seen_at": seen, **live})
    return moments, total - len(runs)


async def _live_work(view: BoardView, panel: Panel, run: Row, history: list[Entry]) -> Row:
    acts = [
        entry
        for entry in history
        if entry.actor == run["agent_name"] and entry.created_at >= run["began"]
        if not entry.kind.startswith("session.")
    ]
    work = await work_of(view, panel.id)
    return {"acts": acts[:3], "work": work if work and work.acts else None}


async def _sessions(run_ids: list[UUID]) -> dict[str, tuple[UUID, int]]:
    if not run_ids:
        return {}
    found = await rows(
        "SELECT a.run_id, a.session_id, COUNT(*) AS n FROM session_activities a"
        f" WHERE a.run_id IN ({placeholders(len(run_ids))}) GROUP BY a.run_id, a.session_id ORDER BY n",
        *run_ids,
    )
    totals = Counter[str]()
    for row in found:
        totals[str(row["run_id"])] += row["n"]
    return {str(row["run_id"]): (row["session_id"], totals[str(row["run_id"])]) for row in found}


async def _decisions(panel: Panel) -> list[Row]:
    found = await rows(
        f"""
        SELECT a.id, a.action_type, COALESCE(a.decision, a.status) AS state, COALESCE(a.note, '') AS note,
            COALESCE(a.resolved_at, a.created_at) AS at, {person_name("r")} AS decider
        FROM approval_task_links k
        JOIN approvals a ON a.id = k.approval_id
        LEFT JOIN users r ON r.id = a.resolved_by_user_id
        WHERE k.task_id = ? AND a.status <> 'pending'
        ORDER BY a.created_at DESC, a.id DESC LIMIT {MOST_DECISIONS}
        """,
        panel.id,
    )
    return [
        row
        | {
            "kind": "decision",
            "at": as_moment(row["at"]),
            "who": row["decider"] or "Mission Control",
            "did": DECIDED.get(row["state"], "closed"),
            "what": "Finish this task" if asks_to_finish(row["action_type"]) else action_words(row["action_type"]),
        }
        for row in found
    ]


def _changes(history: Iterable[Entry], others: list[datetime]) -> list[Row]:
    """Fold what one actor changed, while nothing of `others` happened between."""
    found: list[Row] = []
    for entry in history:
        if entry.kind.startswith(ELSEWHERE) or entry.kind == "approval.decided":
            continue
        later = [at for at in others if at > entry.created_at]
        is_between, others = len(later) < len(others), later
        by = {"actor": entry.actor, "actor_kind": entry.actor_kind}
        if found and not is_between and found[-1] | by == found[-1]:
            found[-1]["entries"].append(entry)
        else:
            found.append({"kind": "changes", "at": entry.created_at, "entries": [entry], **by})
    return found


AWAITED = ("waiting", "offered", "taken")  # what an agent has not read yet
TIMELINE_TEMPLATE = "runs/timeline.html"


async def timeline(view: BoardView, panel: Panel) -> str:
    found = await timeline_of(view, panel)
    shown = (one.get("run", one) for one in found["moments"])
    texts = [one.get(name) for one in shown for name in ("message", "summary", "checked")]
    await read_ahead(*texts, names=panel.names)
    return render_macro(TIMELINE_TEMPLATE, "timeline", panel=panel, found=found, look=view.look)


async def timeline_changes(view: BoardView, batch: Batch) -> str | None:
    """Return the last sign of the agent at work for its signs of life, nothing for those of other agents."""
    if batch.events or any("inbox_of" in signal for signal in batch.signals):
        return None
    panel = await panel_in(view)
    if panel is None:
        return ""
    if any(signal.get("task_id") == str(panel.id) for signal in batch.signals):
        return await _signs_of_run(view, panel, batch)
    agents = {str(signal.get("agent_id")) for signal in batch.signals}
    if not panel.is_working or str(panel.assigned_agent_id) not in agents:
        return ""
    sign = render_macro(TIMELINE_TEMPLATE, "sign", seen=panel.last_seen_at)
    return partial(f"#task-{panel.id}-sign", sign, "innerHTML")


async def _signs_of_run(view: BoardView, panel: Panel, batch: Batch) -> str | None:
    has_session = all("session_id" in signal for signal in batch.signals)
    if not has_session or any(note["state"] in AWAITED for note in await _notes(panel)):
        return None
    return await run_changes(view, panel)


NEWS = Concerns[BoardView](
    ("task.", "approval.", "session."),
    ("agent_id", "inbox_of", "session_id"),
    lambda view, news: (
        concerns_panel(view, news)
        if isinstance(news, Event) or "session_id" in news
        else "inbox_of" in news or news.get("board_id") == str(view.board.id)
    ),
)
TIMELINE_REGIONS = (panel_region("timeline", NEWS, timeline, timeline_changes, own_key),)


AGENT_TEMPLATE = "runs/agent.html"
CARD_LINES = 5


async def render(viewed: Viewed) -> str:
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=PAGE, offset=viewed.offset))
    await read_ahead(*(text for run in found for text in (run["summary"], run["checked"])))
    return _runs_of_agent("tab", viewed, found, total)


async def card(viewed: Viewed) -> str:
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return _runs_of_agent("card", viewed, found, total)


def _runs_of_agent(macro: str, viewed: Viewed, found: list[Row], total: int) -> str:
    runs = [in_words(run) for run in found]
    for run in runs:
        run["lease_until"] = run["lease"] if run["state"] == "running" else None
        run["waits_until"] = as_moment(run["waits_until"])
    return render_macro(AGENT_TEMPLATE, macro, viewed=viewed, runs=runs, total=total)


TAB = Tab(AGENT_PAGE, "runs", "Runs", render, card)


pages = Blueprint("claims_pages", __name__)


@action(pages, f"{TASK}/flag/clearance")
async def clear_flag(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    task = outcome.found
    return done(task.url, toast=f"Agents can claim #{task.number} again")
