"""Approvals as people read them in their queue: what waits, what was decided, what follows from each answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mission_control.approvals import payloads
from mission_control.approvals.payloads import (
    GatewayRequest,
    Link,
    Shown,
    asks_to_finish,
    heading,
    request_of,
    stated_confidence,
)
from mission_control.approvals.queries import parts_of_approvals
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.substance import substance_of
from mission_control.database.sql import Row, Values, as_id, as_json, as_moment, placeholders, rows
from mission_control.people.account_names import person_name

BETTER_LOW = {"risk", "risks", "cost", "costs", "effort", "complexity", "uncertainty", "impact", "danger", "errors"}


@dataclass(frozen=True, slots=True)
class LinkedTask:
    """A task that a decision is about."""

    id: UUID
    number: int
    title: str
    url: str
    status: str


@dataclass(frozen=True, slots=True)
class Score:
    """One line of a rubric; `share` is its part of the scale, 0 to 100. Of risks and costs little is good."""

    name: str
    value: int
    share: int

    @property
    def is_better_low(self) -> bool:
        """Whether a small value is the good one."""
        return bool(set(self.name.lower().split()) & BETTER_LOW)

    @property
    def verdict(self) -> tuple[str, str]:
        """How good the value is, as a word and a tone."""
        good = 100 - self.share if self.is_better_low else self.share
        return ("good", "ok") if good >= 67 else ("fair", "warn") if good >= 34 else ("bad", "bad")

    @property
    def level(self) -> str:
        """How large the value is, as a word."""
        return "high" if self.share >= 67 else "medium" if self.share >= 34 else "low"

    @property
    def warning(self) -> str:
        """The tone of a value that is a reason to look closer, else empty."""
        return "warn" if self.verdict[0] == "bad" else ""


@dataclass(slots=True)
class Item:
    id: UUID
    board: Board
    action_type: str
    reason: str
    evidence: list[Link]
    confidence: int | None
    rubric: list[Score]
    payload: str
    shown: Shown
    status: str
    decision: str
    note: str
    asker: str
    asker_id: UUID | None
    asker_kind: str
    created_at: datetime | None
    decider: str
    decided_at: datetime | None
    may_decide: bool
    request: GatewayRequest | None
    expires_at: datetime | None
    answer_state: str
    decide_by: datetime | None = None
    otherwise: str = ""
    other_name: str = ""
    reminded_at: datetime | None = None
    asked_name: str = ""
    tasks: list[LinkedTask] = field(default_factory=list)
    substance: str = ""  # of one that waits

    @property
    def title(self) -> str:
        """What is asked, with the tasks it is about."""
        if self.request is not None:
            return self.request.heading
        return heading(self.action_type, [(task.number, task.title) for task in self.tasks])

    @property
    def may_reopen(self) -> bool:
        """Whether the decision can be taken back; a gateway acts on it at once."""
        return self.may_decide and self.request is None and not self.is_closed

    @property
    def ends_work(self) -> bool:
        """Whether rejecting it ends handed-in work, so that somebody says what becomes of the tasks."""
        return asks_to_finish(self.action_type) and any(task.status == "review" for task in self.tasks)

    @property
    def is_closed(self) -> bool:
        """Whether it became moot before anybody decided."""
        return self.decision == "closed"

    @property
    def url(self) -> str:
        """Where it stands in its board's queue."""
        return f"/boards/{self.board.id}/approvals/{self.id}"

    @property
    def is_pending(self) -> bool:
        """Whether it still waits."""
        return self.status == "pending"

    @property
    def confidence_word(self) -> str:
        sure = self.confidence or 0
        return "High" if sure >= 80 else "Medium" if sure >= 50 else "Low"

    @property
    def next_steps(self) -> list[tuple[str, str]]:
        """What follows from each choice, and from none."""
        words = {"approve": "Approve", "always": "Always", "send_back": "Send back", "ignore": "Ignore"}
        effects = self.effects | {"ignore": self.without_decision}
        return [(word, effects[name]) for name, word in words.items() if name in effects]

    @property
    def effects(self) -> dict[str, str]:
        """What follows from each answer, and from none (`ignore`)."""
        who = self.asker if self.asker_kind == "agent" or not self.tasks else "Its assignee"
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
            return effects | self._effects_of_finishing(who, numbers)
        if numbers and self._holds_tasks:
            effects["ignore"] += f" {numbers} cannot change status until then."
        return effects

    def _effects_of_finishing(self, who: str, numbers: str) -> dict[str, str]:
        if all(task.status == "review" for task in self.tasks):
            back = f"returns to {who} as rework" if self.asker_kind == "agent" else "returns to its assignee"
            return {
                "approve": f"{numbers} is done.",
                "send_back": f"{numbers} {back}, with your note.",
                "reject": f"The work of {who} on {numbers} is over, and {numbers} goes where you say.",
                "ignore": f"{numbers} stays in review until somebody decides.",
            }
        return {"approve": f"{who} is notified, and {numbers} may be finished."}

    @property
    def without_decision(self) -> str:
        """What happens when nobody decides by the deadline, or at all where there is none."""
        if self.decide_by is None:
            return self.effects["ignore"]
        who = self.asker if self.asker_kind == "agent" else "its assignee"
        said = {"send_back": f"It goes back to {who}.", "ask": f"{self.other_name} is asked."}
        return said.get(self.otherwise, "Everybody who can decide is reminded.")

    @property
    def _holds_tasks(self) -> bool:
        return bool(self.board.block_status_changes_with_pending_approval)


PENDING_LIMIT = 200
PAGE = 20
STATES = {"approved": "Approved", "changes_requested": "Sent back", "rejected": "Rejected", "closed": "Closed"}

_SELECT = (
    "SELECT a.id, a.board_id, a.action_type, a.payload, a.confidence, a.rubric_scores, a.status,"
    " a.decision, a.note,"
    " a.requested_by_user_id, a.created_at, a.resolved_at, a.resolved_by_kind,"
    " a.resolved_by_name AS resolver, a.agent_id, g.name AS agent_name, a.expires_at, a.answer_state,"
    " a.decide_by, a.otherwise, a.reminded_at,"
    f" {person_name('o')} AS other_name, {person_name('k')} AS asked_name,"
    f" {person_name('q')} AS person_name,"
    f" {person_name('r')} AS decider_name"
    " FROM approvals a LEFT JOIN agents g ON g.id = a.agent_id LEFT JOIN users q ON q.id = a.requested_by_user_id"
    " LEFT JOIN users r ON r.id = a.resolved_by_user_id"
    " LEFT JOIN users o ON o.id = a.otherwise_user_id LEFT JOIN users k ON k.id = a.asked_user_id"
)


async def queue(actor: Actor, boards: list[Board], opened: datetime | None) -> list[Item]:
    """What waits, oldest first; with `opened` also what was decided since a page was opened, in its place."""
    where = "a.status = 'pending'"
    values: Values = []
    if opened is not None:
        where, values = "(a.status = 'pending' OR a.resolved_at >= ?)", [opened]
    return await _items(actor, boards, where, values, f"ORDER BY a.created_at, a.id LIMIT {PENDING_LIMIT}")


async def history(actor: Actor, boards: list[Board], state: str, page: int) -> tuple[list[Item], int]:
    """One page of what was decided, newest first, and how many there are."""
    where = "a.status <> 'pending'"
    values: Values = []
    if state in STATES:
        where, values = "a.status <> 'pending' AND a.decision = ?", [state]
    order = f"ORDER BY a.resolved_at DESC, a.id DESC LIMIT {PAGE} OFFSET {PAGE * (page - 1)}"
    total = 0
    if boards:
        counted = f"SELECT COUNT(*) AS n FROM approvals a WHERE {_on(boards)} AND {where}"
        total = int((await rows(counted, *(board.id for board in boards), *values))[0]["n"])
    return await _items(actor, boards, where, values, order), total


async def last_decided_at(boards: list[Board]) -> datetime | None:
    """When something on these boards was decided last."""
    if not boards:
        return None
    found = await rows(
        f"SELECT MAX(a.resolved_at) AS moment FROM approvals a WHERE {_on(boards)} AND a.status <> 'pending'",
        *(board.id for board in boards),
    )
    moment: datetime | None = as_moment(found[0]["moment"])
    return moment


async def item(actor: Actor, board: Board, approval_id: UUID) -> Item | None:
    found = await _items(actor, [board], "a.id = ?", [approval_id], "")
    return found[0] if found else None


async def items_of(actor: Actor, boards: list[Board], approval_ids: list[UUID]) -> list[Item]:
    if not approval_ids:
        return []
    return await _items(actor, boards, f"a.id IN ({placeholders(len(approval_ids))})", approval_ids, "")


async def boards_in_queue(actor: Actor, board_id: UUID | None) -> list[Board]:
    """The boards whose approvals a page shows: all of the organization, or one of them."""
    return [board for board in await boards_of(actor) if board_id in (None, board.id)]


def _on(boards: list[Board]) -> str:
    return f"a.board_id IN ({placeholders(len(boards))})"


async def _items(actor: Actor, boards: list[Board], where: str, values: Values, order: str) -> list[Item]:
    if not boards:
        return []
    known = {board.id: board for board in boards}
    found = await rows(f"{_SELECT} WHERE {_on(boards)} AND {where} {order}", *known, *values)
    items = [_item(actor, known, row) for row in found]
    await _link(items)
    return items


def _item(actor: Actor, boards: Mapping[UUID, Board], row: Row) -> Item:
    board = boards[UUID(str(row["board_id"]))]
    payload = as_json(row["payload"])
    return Item(
        id=UUID(str(row["id"])),
        board=board,
        action_type=row["action_type"],
        reason=reason_of(payload),
        evidence=payloads.links(payload),
        confidence=stated_confidence(row, payload),
        rubric=_rubric(as_json(row["rubric_scores"]), payload),
        payload=payloads.as_json(payload),
        shown=payloads.shown(payload),
        status=row["status"],
        decision=row["decision"] or row["status"],
        note=row["note"] or "",
        asker=row["agent_name"] or row["person_name"] or "A deleted agent",
        asker_id=as_id(row["agent_id"] or row["requested_by_user_id"]),
        asker_kind="person" if row["person_name"] and not row["agent_name"] else "agent",
        created_at=as_moment(row["created_at"]),
        decider=row["decider_name"]
        or row["resolver"]
        or ("Policy" if row["resolved_by_kind"] == "policy" else "Mission Control"),
        decided_at=as_moment(row["resolved_at"]),
        may_decide=actor.is_user and actor.writes(board),
        request=request_of(payload),
        expires_at=as_moment(row["expires_at"]),
        answer_state=row["answer_state"] or "",
        decide_by=as_moment(row["decide_by"]),
        otherwise=row["otherwise"] or "",
        other_name=row["other_name"] or "Another person",
        reminded_at=as_moment(row["reminded_at"]),
        asked_name=row["asked_name"] or "",
    )


async def _link(items: list[Item]) -> None:
    if not items:
        return
    by_id = {item.id: item for item in items}
    for link in await rows(
        "SELECT l.approval_id, t.id, t.number, t.title, t.status FROM approval_task_links l"
        " JOIN tasks t ON t.id = l.task_id"
        f" WHERE t.deleted_at IS NULL AND l.approval_id IN ({placeholders(len(items))}) ORDER BY l.created_at, l.id",
        *by_id,
    ):
        owner = by_id[as_id(link["approval_id"]) or UUID(int=0)]
        url = f"/boards/{owner.board.id}/tasks/{link['id']}"
        owner.tasks.append(LinkedTask(UUID(str(link["id"])), int(link["number"]), link["title"], url, link["status"]))
    for approval_id, parts in (await parts_of_approvals([item.id for item in items if item.is_pending])).items():
        by_id[approval_id].substance = substance_of(parts)


def _scale_name(name: str) -> str:
    words = re.sub(r"[._\-/]+", " ", name).strip()
    return words[:1].upper() + words[1:]


def reason_of(payload: object) -> str:
    """Why it is asked, wherever the payload keeps it."""
    if not isinstance(payload, Mapping):
        return ""
    nested = payload.get("decision")
    places = (payload.get("reason"), nested.get("reason") if isinstance(nested, Mapping) else None)
    return next((text.strip() for text in places if isinstance(text, str) and text.strip()), "")


def _rubric(scores: object, payload: object) -> list[Score]:
    if not scores and isinstance(payload, Mapping) and isinstance(payload.get("analytics"), Mapping):
        scores = payload["analytics"].get("rubric_scores")
    if not isinstance(scores, Mapping):
        return []
    known = {str(name): round(value) for name, value in scores.items() if isinstance(value, int | float)}
    highest = max(known.values(), default=0)
    scale = next((one for one in (5, 10, 100) if highest <= one), highest)
    return [Score(_scale_name(name), value, max(0, round(100 * value / scale))) for name, value in known.items()]
