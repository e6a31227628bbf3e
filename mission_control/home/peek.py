"""A need beside the list: what it is about, and its answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from textwrap import shorten
from uuid import UUID

from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.text.diffs import FileDiff
from mission_control.database.sql import Row, as_json, rows, select
from mission_control.needs.kinds import KINDS, Key, Proof
from mission_control.needs.lookup import key_named, rendered_need
from mission_control.needs.schemas import Need
from mission_control.people.accounts.names import person_name
from mission_control.tasks.panel.code_pages import change_of
from mission_control.web.fragments import read_ahead, render_macro

SAID = 2


@dataclass(frozen=True, slots=True)
class Said:
    """A comment of the task."""

    name: str
    kind: str
    text: str
    at: datetime


@dataclass(slots=True)
class About:
    task: Row | None = None
    who: str = ""
    says: str = ""
    proofs: list[Proof] = field(default_factory=list)
    shown: object = None
    in_full: str = ""
    sure: Sequence[str] = ()
    criteria: list[Row] = field(default_factory=list)
    files: Sequence[FileDiff] = ()
    said: list[Said] = field(default_factory=list)


async def about_need(actor: Actor, key: Key, need: Need) -> About:
    found = About(who=need.agent.name if need.agent else need.person.name if need.person else "")
    board = await visible_board(actor, need.board.id) if need.board is not None else None
    more = await KINDS[key.kind].details(actor, board, key.id) if board is not None else None
    if more is not None:
        found.says, found.proofs, found.sure = more.says, [*more.proofs], more.sure
        found.shown, found.in_full = (more.shown, more.in_full) if more.has_diffs else (None, "")
    if need.tasks:
        await _add_task(need.tasks[0].id, found)
        if need.diff_url is not None and found.shown is None:
            found.files = await change_of(need.tasks[0].id)
    return found


async def _add_task(task_id: UUID, found: About) -> None:
    """Add a task with its steps, what its last run handed in where nothing else says it, and what was said last."""
    tasks = await rows("SELECT id, number, title, description FROM tasks WHERE id = ?", task_id)
    found.task = tasks[0] if tasks else None
    found.criteria = await rows(
        "SELECT text, is_done FROM task_checklist_items WHERE task_id = ? AND is_criterion ORDER BY position, id",
        task_id,
    )
    runs = await rows(
        "SELECT agent_name, summary, checked, evidence, end_reason FROM task_runs WHERE task_id = ?"
        " ORDER BY started_at DESC LIMIT 1",
        task_id,
    )
    for run in runs:
        found.who = found.who or run["agent_name"]
        found.says = found.says or run["summary"] or run["end_reason"] or ""
        if run["checked"]:
            found.proofs.append(Proof("circle-check", "Checked", shorten(run["checked"], 300, placeholder=" …")))
        if not any(proof.url for proof in found.proofs):
            found.proofs[:0] = [Proof("external-link", name, url=url) for name, url in _links(as_json(run["evidence"]))]
    found.said = await _said(task_id)


def _links(evidence: object) -> list[tuple[str, str]]:
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


def texts_of(about: About) -> list[str]:
    return [about.says, (about.task or {}).get("description") or "", *(said.text for said in about.said)]


TEMPLATE = "needs/peek.html"


async def peek(actor: Actor, need_id: str, **refusal: object) -> str:
    """Return a need with what it is about; `typed`, `errors` and `chosen` are of a refused answer. Raise NotFound."""
    key = await key_named(actor, need_id)
    need = await rendered_need(actor, key)
    about = await about_need(actor, key, need)
    await read_ahead(*texts_of(about))
    return render_macro(TEMPLATE, "peek", item=need, about=about, **refusal)


async def peek_if_there(actor: Actor, need_id: str) -> str:
    """Return a need with what it is about; empty when it no longer waits for this person."""
    try:
        return await peek(actor, need_id)
    except NotFound:
        return ""
