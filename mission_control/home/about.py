"""What a need is about, for the peek: the words behind it, evidence, how sure its agent is, and what was said last."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.approvals import queue as approvals
from mission_control.approvals.items import Item
from mission_control.approvals.payloads import Shown
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.database.sql import as_json, rows, select, select_one
from mission_control.needs.kinds import Key
from mission_control.needs.schemas import Need
from mission_control.questions import queue as questions

SAID = 2


@dataclass(frozen=True, slots=True)
class Proof:
    """Something that shows the result: a link, or a figure."""

    icon: str
    name: str
    state: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A comment of the task."""

    name: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskWords:
    """A task in words."""

    id: UUID
    number: int
    title: str
    description: str | None


@dataclass(slots=True)
class About:
    """What the peek shows of a need."""

    task: TaskWords | None = None
    who: str = ""
    says: str = ""
    proofs: list[Proof] = field(default_factory=list)
    shown: Shown | None = None
    sure: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


async def about_need(actor: Actor, key: Key, need: Need) -> About:
    """Return what a need is about."""
    found = About(who=need.agent.name if need.agent else need.person.name if need.person else "")
    board = await visible_board(actor, need.board.id) if need.board is not None else None
    if need.kind == "approval" and board is not None:
        await _add_approval(actor, board, key.id, found)
    elif need.kind == "question" and board is not None:
        item = await questions.item(actor, board, key.id)
        found.says = item.text if item is not None else ""
    if need.tasks:
        await _add_task(need.tasks[0].id, found)
    return found


async def _add_approval(actor: Actor, board: Board, approval_id: UUID, found: About) -> None:
    item = await approvals.item(actor, board, approval_id)
    if item is None:
        return
    found.says = item.reason
    found.proofs += [Proof("external-link", one.name, one.what, one.url) for one in item.evidence]
    found.sure = _sure(item)
    found.shown = item.shown


def _sure(item: Item) -> list[str]:
    sure = [] if item.confidence is None else [f"{item.confidence} % sure, {item.confidence_word.lower()}"]
    return sure + [f"{one.name}: {one.value}, {one.verdict[0]}" for one in item.rubric]


async def _add_task(task_id: UUID, found: About) -> None:
    sql = "SELECT id, number, title, description FROM tasks WHERE id = ?"
    found.task = await select_one(TaskWords, sql, task_id)
    [steps] = await rows(
        "SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN is_done THEN 1 ELSE 0 END), 0) AS done FROM task_checklist_items"
        " WHERE task_id = ?",
        task_id,
    )
    if int(steps["n"]):
        found.proofs.append(Proof("circle-dot", "Steps", f"{int(steps['done'])} of {int(steps['n'])} done"))
    await _add_run(task_id, found)
    found.said = await _said(task_id)


async def _add_run(task_id: UUID, found: About) -> None:
    """Add what the last run handed in, where nothing else says it."""
    runs = await rows(
        "SELECT agent_name, summary, evidence, end_reason, state FROM task_runs WHERE task_id = ?"
        " ORDER BY started_at DESC LIMIT 1",
        task_id,
    )
    if not runs:
        return
    run = runs[0]
    found.who = found.who or run["agent_name"]
    found.says = found.says or run["summary"] or run["end_reason"] or ""
    if not any(proof.url for proof in found.proofs):
        found.proofs[:0] = [Proof("external-link", name, url=url) for name, url in _links(as_json(run["evidence"]))]


def _links(evidence: Any) -> list[tuple[str, str]]:
    links = [one for one in evidence if isinstance(one, dict)] if isinstance(evidence, list) else []
    urls = [(str(one.get("title") or one.get("url")), str(one.get("url") or "")) for one in links]
    return [(title, url) for title, url in urls if url.startswith(("https://", "http://"))]


async def _said(task_id: UUID) -> list[Said]:
    return await select(
        Said,
        f"SELECT COALESCE(a.name, {person_name('u')}, c.author_name, 'Somebody') AS name,"
        " CASE WHEN c.agent_id IS NULL THEN 'person' ELSE 'agent' END AS kind, c.message AS text, c.created_at AS at"
        " FROM task_comments c LEFT JOIN agents a ON a.id = c.agent_id LEFT JOIN users u ON u.id = c.user_id"
        " WHERE c.task_id = ? AND c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC LIMIT ?",
        task_id,
        SAID,
    )
