"""What a task's panel and an agent's page show of the work: reasons for waiting, runs, the timeline."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.page_frame import AGENT_PAGE, PAGE, Viewed
from mission_control.agents.reactions import NOTICE
from mission_control.agents.usage_queries import money, short
from mission_control.approvals.payloads import action_words, asks_to_finish
from mission_control.claims.queries import runs_of_agent, runs_of_task
from mission_control.claims.waiting import reasons_of
from mission_control.core import times
from mission_control.core.values import Paging
from mission_control.database.sql import Row, as_moment, placeholders, rows
from mission_control.log.models import Event
from mission_control.log.stream import Batch
from mission_control.people.account_names import person_name
from mission_control.tasks.activity_queries import history_of_task
from mission_control.tasks.board_view import BoardView, News
from mission_control.tasks.models import Task
from mission_control.tasks.pages import TASK
from mission_control.tasks.panel import Panel, concerns_panel, own_key, panel_in, panel_region
from mission_control.tasks.panel_sections import size_in_words
from mission_control.tasks.queries import COMMENTS
from mission_control.tasks.sentences import Entry
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.regions import Concerns
from mission_control.web.tabs import Tab

TEMPLATE = "claims/panel.html"


async def waiting(_view: BoardView, panel: Panel) -> str:
    """Return what the task waits for; empty when it is done."""
    reasons = (await reasons_of([panel.id])).get(str(panel.id), [])
    shown = [one | {name: as_moment(one[name]) for name in ("since", "until")} for one in reasons]
    return render_macro(TEMPLATE, "waiting", panel=panel, reasons=shown) if shown else ""


def in_words(run: Row) -> Row:
    """Return a run with moments as moments, how long it took, and what it cost in words."""
    began, ended = as_moment(run["started_at"]), as_moment(run["ended_at"])
    assert began is not None
    used = run["input_tokens"] + run["output_tokens"]
    figures = [f"{short(used)} tokens"] if used else []
    if run["cost_usd"]:
        figures.append(money(run["cost_usd"]))
    files = [file | {"size": size_in_words(file["size"])} for file in run["artifacts"]]
    took = _took(began, ended) if ended else ""
    lease = as_moment(run["lease_expires_at"])
    return run | {"began": began, "took": took, "figures": figures, "artifacts": files, "lease": lease}


def _took(began: datetime, ended: datetime) -> str:
    text = times.elapsed(began, ended)
    return "under a minute" if text == "0 m" else text


def _is_near(view: BoardView, news: News) -> bool:
    """Whether something happened on the board, or to the whole organization."""
    if isinstance(news, Event):
        return news.board_id in (view.board.id, None)
    return news.get("board_id") in (str(view.board.id), None)


# A task waits for other tasks, for decisions, agents, limits and budgets.
NEAR = Concerns[BoardView](
    ("task.", "approval.", "agent.", "board.", "organization.", "budget."), ("agent_id", "usage"), _is_near
)
REGIONS = (panel_region("waiting", NEAR, waiting),)


MOST_COMMENTS, MOST_EVENTS, MOST_RUNS, MOST_DECISIONS = 100, 200, 20, 50
MOST_READ_BY = 20  # comments of people, the newest, which say who has read them
# What comments, runs and decisions tell themselves.
ELSEWHERE = ("task.comment", "task.run_completed", "task.lease_expired", "approval.requested")
DECIDED = {"approved": "approved", "changes_requested": "sent back"}


@dataclass(frozen=True, slots=True)
class Reader:
    """An agent that was told of a comment, and when it read that."""

    name: str
    read_at: datetime | None


@dataclass(slots=True)
class Talk:
    """A comment; a deleted one keeps its place without its words."""

    at: datetime
    id: object
    message: str
    author: str
    author_kind: str
    edited_at: datetime | None
    is_deleted: bool
    is_own: bool
    may_delete: bool
    deleted_by: str = ""
    readers: list[Reader] = field(default_factory=list)
    kind: str = "talk"


@dataclass(slots=True)
class Changes:
    """What somebody changed, one after the other, with nothing else between."""

    at: datetime
    actor: str
    actor_kind: str
    entries: list[Entry]
    kind: str = "changes"


@dataclass(slots=True)
class Decision:
    """A decided approval."""

    at: datetime
    id: object
    who: str
    did: str
    state: str
    what: str
    note: str
    kind: str = "decision"


@dataclass(slots=True)
class RunMoment:
    """A run. One that goes on says what the agent did last."""

    at: datetime
    run: Row
    last_seen_at: datetime | None
    acts: list[Entry]
    kind: str = "run"


Moment = Talk | Changes | Decision | RunMoment


@dataclass(slots=True)
class Timeline:
    """The moments that are shown, and how many others there are."""

    moments: list[Moment]
    comments_hidden: int = 0
    runs_hidden: int = 0


async def timeline_of(view: BoardView, panel: Panel) -> Timeline:
    """Return what an open panel shows of a task's past."""
    look, found = view.look, Timeline([])
    history = await history_of_task(view.board.organization_id, panel.id, MOST_EVENTS)
    if look.show != "runs":
        talk = await _talk(view, panel)
        found.comments_hidden = max(0, panel.comments_total - sum(not one.is_deleted for one in talk))
        found.moments += talk
    if look.show != "talk":
        runs, found.runs_hidden = await _runs(panel, history, whole=look.whole)
        found.moments += runs
    decisions = await _decisions(panel) if not look.show else []
    found.moments += decisions
    others = sorted(found.moments, key=lambda one: one.at)
    changes = [] if look.show else _changes(reversed(history), [one.at for one in others])
    found.moments = sorted([*others, *changes], key=lambda one: one.at)
    return found


async def _talk(view: BoardView, panel: Panel) -> list[Talk]:
    look = view.look
    whole = look.whole or look.comment_id is not None
    newest = await rows(
        f"{COMMENTS.replace(' FROM task_comments', ', c.deleted_at FROM task_comments')} WHERE c.task_id = ?"
        f" ORDER BY c.created_at DESC, c.id DESC{'' if whole else f' LIMIT {MOST_COMMENTS}'}",
        panel.id,
    )
    found = [_comment(view, panel, row) for row in reversed(newest)]
    if any(one.is_deleted for one in found):
        deleted = await _deleted_by(view.board.organization_id, panel.id)
        for one in found:
            one.deleted_by = deleted.get(str(one.id), "")
    await _add_readers(panel, [one for one in found if one.author_kind == "person" and not one.is_deleted])
    return found


async def _deleted_by(organization_id: UUID, task_id: UUID) -> dict[str, str]:
    found = await rows(
        f"SELECT e.data, COALESCE({person_name('u')}, e.actor_name) AS actor FROM events e"
        " LEFT JOIN users u ON u.id = e.actor_id AND e.actor_kind = 'user'"
        " WHERE e.organization_id = ? AND e.task_id = ? AND e.kind = 'task.comment_deleted'",
        organization_id,
        task_id,
    )
    return {str(orjson.loads(row["data"]).get("comment_id")): row["actor"] or "" for row in found}


def _comment(view: BoardView, panel: Panel, row: Row) -> Talk:
    person, deleted = row["user_id"] is not None, row["deleted_at"] is not None
    is_own = person and str(row["user_id"]) == str(view.actor.id)
    return Talk(
        at=as_moment(row["created_at"]) or times.clock_now(),
        id=row["id"],
        message=row["message"] or "",
        author=row["user_name"] if person else row["agent_name"] or "Somebody",
        author_kind="person" if person else "agent",
        edited_at=as_moment(row["edited_at"]),
        is_deleted=deleted,
        is_own=is_own and panel.may_write and not deleted,
        may_delete=panel.may_write and not deleted and (is_own or view.rights.is_admin),
    )


async def _add_readers(panel: Panel, comments: list[Talk]) -> None:
    """Say of the newest comments by people which agents were told, and whether they have read it."""
    newest = comments[-MOST_READ_BY:]
    agents = {str(one["id"]): one["name"] for one in panel.agents}
    if not newest or not agents:
        return
    by_id = {str(one.id): one for one in newest}
    for row in await rows(
        "SELECT d.agent_id, d.state, d.sent_at, d.data ->> 'comment_id' AS comment_id FROM deliveries d"
        f" WHERE d.agent_id IN ({placeholders(len(agents))}) AND d.state IN ('waiting', 'sending', 'sent', 'failed')"
        " AND d.created_at >= ? AND d.task_id = ? AND d.kind = ?",
        *(UUID(one) for one in agents),
        newest[0].at,
        panel.id,
        NOTICE,
    ):
        if comment := by_id.get(str(row["comment_id"])):
            read_at = as_moment(row["sent_at"]) if row["state"] == "sent" else None
            comment.readers.append(Reader(agents[str(row["agent_id"])], read_at))


async def _runs(panel: Panel, history: list[Entry], *, whole: bool) -> tuple[list[RunMoment], int]:
    limit = Paging(limit=200 if whole else MOST_RUNS, offset=0)
    found, total = await runs_of_task(panel.id, limit)
    moments = []
    for run in found:
        shown, is_running = in_words(run), run["state"] == "running"
        acts = [one for one in history if one.actor == run["agent_name"] and one.created_at >= shown["began"]]
        seen = panel.last_seen_at if str(panel.assigned_agent_id) == str(run["agent_id"]) else None
        moments.append(RunMoment(shown["began"], shown, seen, acts[:3] if is_running else []))
    return moments, total - len(found)


async def _decisions(panel: Panel) -> list[Decision]:
    found = await rows(
        f"""
        SELECT a.id, a.action_type, a.status, a.decision, a.note, a.created_at, a.resolved_at,
            {person_name("r")} AS decider
        FROM approval_task_links k
        JOIN approvals a ON a.id = k.approval_id
        LEFT JOIN users r ON r.id = a.resolved_by_user_id
        WHERE k.task_id = ? AND a.status <> 'pending'
        ORDER BY a.created_at DESC, a.id DESC LIMIT {MOST_DECISIONS}
        """,
        panel.id,
    )
    return [_decision(row) for row in found]


def _decision(row: Row) -> Decision:
    state = row["decision"] or row["status"]
    what = "Finish this task" if asks_to_finish(row["action_type"]) else action_words(row["action_type"])
    return Decision(
        at=as_moment(row["resolved_at"]) or as_moment(row["created_at"]) or times.clock_now(),
        id=row["id"],
        who=row["decider"] or "Mission Control",
        did=DECIDED.get(state, "rejected" if state == "rejected" else "closed"),
        state=state,
        what=what,
        note=row["note"] or "",
    )


def _changes(history: Iterable[Entry], others: list[datetime]) -> list[Changes]:
    """Fold what one actor changed, while nothing of `others` happened between."""
    found: list[Changes] = []
    left = list(others)
    for one in history:
        if one.kind.startswith(ELSEWHERE) or (one.kind == "approval.decided"):
            continue
        is_between = bool(left) and left[0] <= one.created_at
        while left and left[0] <= one.created_at:
            left.pop(0)
        last = found[-1] if found else None
        if last and not is_between and (last.actor, last.actor_kind) == (one.actor, one.actor_kind):
            last.entries.append(one)
        else:
            found.append(Changes(one.created_at, one.actor, one.actor_kind, [one]))
    return found


TIMELINE_TEMPLATE = "claims/timeline.html"


async def timeline(view: BoardView, panel: Panel) -> str:
    """Return the timeline, or the part of it that the address asks for."""
    found = await timeline_of(view, panel)
    texts = [one.message for one in found.moments if isinstance(one, Talk)]
    texts += [one.run["summary"] or "" for one in found.moments if isinstance(one, RunMoment)]
    await read_ahead(*texts, names=panel.names)
    return render_macro(TIMELINE_TEMPLATE, "timeline", panel=panel, found=found, look=view.look)


async def timeline_changes(view: BoardView, batch: Batch) -> str | None:
    """Return the last sign of the agent at work for its signs of life, nothing for those of other agents."""
    if batch.events or any("inbox_of" in one for one in batch.signals):
        return None
    panel = await panel_in(view)
    if panel is None or not panel.is_working:
        return ""
    if all(str(one.get("agent_id")) != str(panel.assigned_agent_id) for one in batch.signals):
        return ""
    sign = render_macro(TIMELINE_TEMPLATE, "sign", seen=panel.last_seen_at)
    return partial(f"#task-{panel.id}-sign", sign, "innerHTML")


def _about(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        return concerns_panel(view, news)
    return "inbox_of" in news or news.get("board_id") == str(view.board.id)


NEWS = Concerns[BoardView](("task.", "approval."), ("agent_id", "inbox_of"), _about)
TIMELINE_REGIONS = (panel_region("timeline", NEWS, timeline, timeline_changes, own_key),)


AGENT_TEMPLATE = "claims/agent.html"
CARD_LINES = 5


async def render(viewed: Viewed) -> str:
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=PAGE, offset=viewed.offset))
    await read_ahead(*(run["summary"] for run in found))
    return render_macro(AGENT_TEMPLATE, "tab", viewed=viewed, runs=[_run_view(run) for run in found], total=total)


async def card(viewed: Viewed) -> str:
    """What the overview shows of them: the latest."""
    found, total = await runs_of_agent(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(AGENT_TEMPLATE, "card", viewed=viewed, runs=[_run_view(run) for run in found], total=total)


def _run_view(run: Row) -> Row:
    return in_words(run) | {"lease_until": as_moment(run["lease_expires_at"]) if run["state"] == "running" else None}


TAB = Tab(AGENT_PAGE, "runs", "Runs", render, card)


pages = Blueprint("claims_pages", __name__)


@action(pages, f"{TASK}/flag/clearance")
async def clear_flag(outcome: Outcome[Task, None]) -> ResponseReturnValue:
    """Clear the flag of a task, so that it is assigned again."""
    task = outcome.found
    return done(task.url, toast=f"Agents can claim #{task.number} again")
