"""Approvals as they are read: by the API, and by people in their queue with what follows from each answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

from mission_control.approvals import payloads
from mission_control.approvals.payloads import OutsideRequest, asks_to_finish, heading, reason_of, stated_confidence
from mission_control.approvals.queries import parts_of, parts_of_approvals
from mission_control.approvals.schemas import ApprovalQuery, ApprovalRead, PersonRef, TaskOutcome, VoteRead
from mission_control.approvals.votes import NEEDED, Vote, standing, votes_of
from mission_control.boards.hand_in_counts import NOTHING, Counted
from mission_control.boards.models import Board
from mission_control.core.actor import Actor, BoardLike
from mission_control.core.errors import NotFound
from mission_control.core.substance import substance_of
from mission_control.core.values import Schema
from mission_control.database.sql import (
    Row,
    Values,
    as_id,
    as_moment,
    first_of_all,
    in_list,
    placeholders,
    rows,
    select,
)
from mission_control.needs.kinds import MOST_QUEUED
from mission_control.needs.recipients import FIRST_ASKED, AskedPersonRead, asked_people, in_words
from mission_control.needs.schemas import Need, NeedTask
from mission_control.people.accounts.names import person_name

BETTER_LOW = {"risk", "risks", "cost", "costs", "effort", "complexity", "uncertainty", "impact", "danger", "errors"}


class LinkedTask(NeedTask):
    approval_id: UUID
    board_id: UUID
    outcome: str | None
    reason: str | None

    @property
    def url(self) -> str:
        return f"/boards/{self.board_id}/tasks/{self.id}"


class Score(Schema):
    """One line of a rubric; `share` is its part of the scale, 0 to 100. Of risks and costs little is good."""

    name: str
    value: int
    share: int

    @property
    def is_better_low(self) -> bool:
        return bool(set(self.name.lower().split()) & BETTER_LOW)

    @property
    def verdict(self) -> tuple[str, str]:
        good = 100 - self.share if self.is_better_low else self.share
        return ("good", "ok") if good >= 67 else ("fair", "warn") if good >= 34 else ("bad", "bad")

    @property
    def level(self) -> str:
        return "high" if self.share >= 67 else "medium" if self.share >= 34 else "low"


class Item(ApprovalRead):
    """An approval with what its queue shows. The statement has no columns for what has a default here."""

    requested_by_user_id: UUID | None
    resolved_by_user_id: UUID | None
    resolved_by_kind: str | None
    board_name: str
    holds_tasks: bool
    has_tasks: bool
    has_votes: bool
    agent_name: str | None
    requester: str
    resolver: str
    other_name: str
    run_number: int | None
    may_decide: bool = False
    has_voted: bool = False  # the reader, who approved and waits for others
    is_own: bool = False  # the reader asked, so that others have to approve
    approvals_missing: int = 0
    votes: list[VoteRead] = []
    asked: list[AskedPersonRead] = []
    tasks: list[LinkedTask] = []
    task_id: UUID | None = None
    task_ids: list[UUID] = []
    task_titles: list[str] = []
    outcomes: list[TaskOutcome] = []
    resolved_by: PersonRef | None = None
    requested_by: PersonRef | None = None
    substance: str | None = None
    counted: Counted = NOTHING
    need: Need | None = None  # in words, while it waits

    @property
    def title(self) -> str:
        if self.request is not None:
            words, command, rest = self.request.heading.partition(": ")  # a command stands last
            return f"{words}{self.for_task}{command}{rest}"
        return heading(self.action_type, [(task.number, task.title) for task in self.tasks])

    @property
    def for_task(self) -> str:
        return f" for #{self.run_number}" if self.session_id is not None and self.run_number is not None else ""

    @property
    def url(self) -> str:
        return f"/boards/{self.board_id}/approvals/{self.id}"

    @property
    def is_pending(self) -> bool:
        return self.status == "pending"

    @property
    def is_closed(self) -> bool:
        return self.decision == "closed"

    @property
    def standing(self) -> str:
        """How many have approved, and who, where several people have to; else empty."""
        return standing(self.approvals_needed, self.votes)

    @property
    def lapsed(self) -> str:
        """Who approved before it changed, and is asked again, or may no longer answer; else empty."""
        names = [vote.user.name for vote in self.votes if not vote.is_current]
        return f"{in_words(names)} approved before, which no longer counts" if names and self.is_pending else ""

    @property
    def may_reopen(self) -> bool:
        return self.may_decide and self.request is None and not self.is_closed

    @property
    def ends_work(self) -> bool:
        """Whether rejecting it ends handed-in work, so that somebody says what becomes of the tasks."""
        return asks_to_finish(self.action_type) and any(task.status == "review" for task in self.tasks)

    @property
    def is_of_person(self) -> bool:
        return self.requested_by is not None and not self.agent_name

    @property
    def asker(self) -> str:
        return self.agent_name or (self.requester if self.requested_by is not None else "A deleted agent")

    @property
    def decider(self) -> str:
        by_itself = "Policy" if self.resolved_by_kind == "policy" else "Mission Control"
        return self.resolver if self.resolved_by is not None else self.resolved_by_name or by_itself

    @cached_property
    def request(self) -> OutsideRequest | None:
        if self.session_id is None and "session_request" in (self.payload or {}):
            return None  # an agent wrote that itself
        return payloads.request_of(self.payload)

    @cached_property
    def shown(self) -> payloads.Shown:
        return payloads.shown(self.payload)

    @property
    def evidence(self) -> list[payloads.Link]:
        return payloads.links(self.payload)

    @property
    def json_text(self) -> str:
        return payloads.as_json(self.payload)

    @property
    def reason(self) -> str:
        return reason_of(self.payload)

    @property
    def sure(self) -> int | None:
        return stated_confidence(self.confidence, self.payload)

    @property
    def sure_word(self) -> str:
        sure = self.sure or 0
        return "High" if sure >= 80 else "Medium" if sure >= 50 else "Low"

    @property
    def rubric(self) -> list[Score]:
        scores: object = self.rubric_scores
        if not scores and self.payload and isinstance(self.payload.get("analytics"), Mapping):
            scores = self.payload["analytics"].get("rubric_scores")
        if not isinstance(scores, Mapping):
            return []
        values = {str(name): round(value) for name, value in scores.items() if isinstance(value, int | float)}
        highest = max(values.values(), default=0)
        scale = next((top for top in (5, 10, 100) if highest <= top), highest)
        words = {name: re.sub(r"[._\-/]+", " ", name).strip() for name in values}
        return [
            Score(name=word[:1].upper() + word[1:], value=values[name], share=max(0, round(100 * values[name] / scale)))
            for name, word in words.items()
        ]

    @property
    def risks(self) -> list[Score]:
        return [score for score in self.rubric if score.name.lower() in ("risk", "risks")]

    @property
    def is_high_risk(self) -> bool:
        is_dangerous = self.request is not None and self.request.is_dangerous
        return is_dangerous or any(score.level == "high" for score in self.risks)

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        words = {"approve": "Approve", "always": "Always", "send_back": "Request changes", "ignore": "Ignore"}
        if self.request is not None and self.request.client:
            words = {"approve": "Allow once", "always": "From now on", "reject": "Deny", "stop": "Deny and stop"}
            words["ignore"] = "No answer"
        effects = self.effects | {"ignore": self.without_decision}
        return [(word, effects[name]) for name, word in words.items() if name in effects]

    @property
    def effects(self) -> dict[str, str]:
        """What follows from each answer, and from none (`ignore`)."""
        effects = self._effects
        if (others := self.approvals_missing - 1) > 0:
            them = "Another person has" if others == 1 else f"{others} other people have"
            effects |= {name: f"{them} to approve too." for name in ("approve", "always") if name in effects}
        return effects

    @property
    def _effects(self) -> dict[str, str]:
        who = self.asker if not self.is_of_person or not self.tasks else "Its assignee"
        if self.request is not None:
            return self.request.effects(who)
        numbers = ", ".join(f"#{task.number}" for task in self.tasks)
        effects = {
            "approve": f"{who} is notified and continues.",
            "send_back": f"{who} gets your note and changes the work.",
            "reject": f"{who} is told that it must not happen.",
            "ignore": "It stays here; nothing happens until somebody decides.",
        }
        if asks_to_finish(self.action_type) and numbers:
            if any(task.status != "review" for task in self.tasks):
                return effects | {"approve": f"{who} is notified, and {numbers} may be finished."}
            back = "returns to its assignee" if self.is_of_person else f"returns to {who} as rework"
            return {
                "approve": f"{numbers} is done.",
                "send_back": f"{numbers} {back}, with your note.",
                "reject": f"The work of {who} on {numbers} is over, and {numbers} goes where you say.",
                "ignore": f"{numbers} stays in review until somebody decides.",
            }
        if numbers and self.holds_tasks:
            effects["ignore"] += f" {numbers} cannot change status until then."
        return effects

    @property
    def without_decision(self) -> str:
        """What happens when nobody decides by the deadline, or at all where there is none."""
        if self.decide_by is None:
            return self.effects["ignore"]
        who = "its assignee" if self.is_of_person else self.asker
        outcomes = {"send_back": f"It goes back to {who}.", "ask": f"{self.other_name} is asked."}
        return outcomes.get(self.otherwise or "", "Everybody who can decide is reminded.")


PAGE = 20
STATES = {"approved": "Approved", "changes_requested": "Sent back", "rejected": "Rejected", "closed": "Closed"}
NEWEST_FIRST = "ORDER BY a.created_at DESC, a.id DESC"
ANSWER = set(ApprovalRead.model_fields)

_SELECT = (
    "SELECT a.id, a.board_id, a.agent_id, a.run_id, a.action_type, a.payload, a.confidence, a.rubric_scores, a.status,"
    " a.decision, a.note, a.created_at, a.resolved_at, a.resolved_by_name, a.resolved_by_kind, a.resolved_by_user_id,"
    " a.requested_by_user_id, a.gateway_id, a.session_id, a.expires_at, a.answer_state, a.decide_by, a.otherwise,"
    " a.otherwise_user_id, a.reminded_at, g.name AS agent_name, b.name AS board_name,"
    " b.block_status_changes_with_pending_approval AS holds_tasks,"
    " EXISTS (SELECT 1 FROM approval_task_links l WHERE l.approval_id = a.id) AS has_tasks,"
    f" EXISTS (SELECT 1 FROM approval_votes v WHERE v.approval_id = a.id) AS has_votes, {NEEDED} AS approvals_needed,"
    " (SELECT t.number FROM task_runs z JOIN tasks t ON t.id = z.task_id WHERE z.id = a.run_id) AS run_number,"
    f" {person_name('q', 'User')} AS requester, {person_name('r', 'User')} AS resolver,"
    f" {person_name('o', 'Another person')} AS other_name, "
    f" {FIRST_ASKED.format(kind='approval', x='a')} AS asked_user_id"
    " FROM approvals a JOIN boards b ON b.id = a.board_id LEFT JOIN agents g ON g.id = a.agent_id"
    " LEFT JOIN users q ON q.id = a.requested_by_user_id LEFT JOIN users r ON r.id = a.resolved_by_user_id"
    " LEFT JOIN users o ON o.id = a.otherwise_user_id"
)
_TASKS = (
    "SELECT l.approval_id, t.board_id, t.id, t.number, t.title, t.status, l.outcome, l.outcome_reason AS reason"
    " FROM approval_task_links l JOIN tasks t ON t.id = l.task_id"
    " WHERE t.deleted_at IS NULL AND l.approval_id IN ({}) ORDER BY l.created_at, l.id"
)


async def _items(where: str, values: Iterable[object], order: str = "") -> list[Item]:
    items = await select(Item, f"{_SELECT} WHERE {where} {order}", *values)
    linked = {item.id: item for item in items if item.has_tasks}
    if linked:
        listed, ids = in_list(linked)
        for task in await select(LinkedTask, _TASKS.format(listed), *ids):
            linked[task.approval_id].tasks.append(task)
    voted = [item.id for item in items if item.has_votes]
    votes = await votes_of(voted) if voted else {}
    asked_of = await asked_people("approval", [item.id for item in items if item.asked_user_id is not None])
    parts = await parts_of_approvals([item.id for item in linked.values() if item.is_pending])
    for item in items:
        if item.is_pending:
            own = parts.get(item.id)
            item.substance = substance_of(parts_of(item.action_type, item.payload) if own is None else own)
        item.asked = asked_of.get(item.id, [])
        _count_votes(item, votes.get(item.id, ()))
        _name_people_and_tasks(item)
    return items


def _count_votes(item: Item, votes: Sequence[Vote]) -> None:
    item.votes = [vote.read(item.substance) for vote in votes]
    approved = sum(vote.is_current for vote in item.votes)
    if item.is_pending:
        item.approvals_missing = max(0, item.approvals_needed - approved)
    else:
        item.approvals_needed = max(1, approved)


def _name_people_and_tasks(item: Item) -> None:
    if item.requested_by_user_id is not None:
        item.requested_by = PersonRef(id=item.requested_by_user_id, name=item.requester)
    if item.resolved_by_user_id is not None:
        item.resolved_by = PersonRef(id=item.resolved_by_user_id, name=item.resolver)
    item.task_ids, item.task_titles = [task.id for task in item.tasks], [task.title for task in item.tasks]
    item.task_id = next(iter(item.task_ids), None)
    item.outcomes = [
        TaskOutcome.model_construct(task_id=task.id, outcome=task.outcome, reason=task.reason)
        for task in item.tasks
        if task.outcome
    ]


async def approvals_read(where: str, values: Values, order: str) -> list[Row]:
    return [item.model_dump(include=ANSWER) for item in await _items(where, values, order)]


async def list_approvals(board: Board, query: ApprovalQuery) -> tuple[list[Row], int]:
    where = "a.board_id = ?"
    values: Values = [board.id]
    if query.status is not None:
        where, values = f"{where} AND a.status = ?", [*values, query.status]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM approvals a WHERE {where}", *values)
    approvals = await approvals_read(where, [*values, query.limit, query.offset], f"{NEWEST_FIRST} LIMIT ? OFFSET ?")
    return approvals, int(total["n"])


async def approval_read(approval_id: UUID) -> Row:
    approvals = await approvals_read("a.id = ?", [approval_id], "")
    if not approvals:
        raise NotFound()
    return approvals[0]


async def pending_of(task_id: UUID) -> Row | None:
    pending = "a.id IN (SELECT l.approval_id FROM approval_task_links l WHERE l.task_id = ? AND l.is_pending)"
    approvals = await approvals_read(pending, [task_id], NEWEST_FIRST)
    return approvals[0] if approvals else None


async def queue(actor: Actor, boards: Sequence[BoardLike], opened: datetime) -> list[Item]:
    """What waits, oldest first, and what was decided since a page was opened, in its place: so many of each at most."""
    if not boards:
        return []
    ids = [board.id for board in boards]
    here = f"SELECT p.id FROM approvals p WHERE p.board_id IN ({placeholders(len(ids))}) AND p.resolved_at"
    pending = f"SELECT id FROM ({here} IS NULL ORDER BY p.created_at, p.id LIMIT {MOST_QUEUED}) pending"
    decided = f"SELECT id FROM ({here} >= ? ORDER BY p.resolved_at DESC LIMIT {MOST_QUEUED}) decided"
    where = f"a.id IN ({pending} UNION ALL {decided})"
    return await _shown(actor, boards, where, [*ids, *ids, opened], "ORDER BY a.created_at, a.id")


async def history(actor: Actor, boards: Sequence[BoardLike], state: str, page: int) -> tuple[list[Item], int]:
    if not boards:
        return [], 0
    where, values, ids = "a.resolved_at IS NOT NULL", list[object](), [board.id for board in boards]
    if state in STATES:
        where, values = f"{where} AND a.decision = ?", [state]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM approvals a WHERE {_on(boards)} AND {where}", *ids, *values)
    each = f"SELECT a.id, a.resolved_at FROM approvals a WHERE a.board_id = ? AND {where}"
    of_boards = [[board_id, *values] for board_id in ids]
    sql, values = first_of_all(each, of_boards, "resolved_at DESC, id DESC", PAGE, PAGE * (page - 1))
    decided = await rows(sql, *values)
    items = {item.id: item for item in await items_of(actor, boards, [row["id"] for row in decided])}
    return [items[approval_id] for row in decided if (approval_id := as_id(row["id"])) in items], int(total["n"])


async def last_decided_at(boards: Sequence[BoardLike]) -> datetime | None:
    if not boards:
        return None
    newest = await rows(
        "SELECT MAX((SELECT MAX(a.resolved_at) FROM approvals a WHERE a.board_id = b.id)) AS moment FROM boards b"
        f" WHERE b.id IN ({placeholders(len(boards))})",
        *(board.id for board in boards),
    )
    moment: datetime | None = as_moment(newest[0]["moment"])
    return moment


async def item_of(actor: Actor, board: BoardLike, approval_id: UUID) -> Item | None:
    items = await _shown(actor, [board], "a.id = ?", [approval_id])
    return items[0] if items else None


async def items_of(actor: Actor, boards: Iterable[BoardLike], approval_ids: list[UUID]) -> list[Item]:
    if not approval_ids:
        return []
    return await _shown(actor, list(boards), f"a.id IN ({placeholders(len(approval_ids))})", approval_ids)


def _on(boards: Sequence[BoardLike]) -> str:
    return f"a.board_id IN ({placeholders(len(boards))})"


async def _shown(actor: Actor, boards: Sequence[BoardLike], where: str, values: Values, order: str = "") -> list[Item]:
    if not boards:
        return []
    by_id = {board.id: board for board in boards}
    items = [item for item in await _items(where, values, order) if item.board_id in by_id]
    for item in items:
        item.may_decide = actor.is_user and actor.writes(by_id[item.board_id])
        item.has_voted = any(vote.is_current and vote.user.id == actor.user_id for vote in item.votes)
        item.is_own = item.is_of_person and item.requested_by_user_id == actor.user_id and item.approvals_needed > 1
    return items
