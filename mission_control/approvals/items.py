"""An approval as people read it: what is asked, why, and what follows from each answer."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from mission_control.approvals.finishing import asks_to_finish
from mission_control.approvals.headings import heading
from mission_control.approvals.outside import GatewayRequest
from mission_control.approvals.payloads import Link, Shown
from mission_control.boards.models import Board

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
    """One approval, ready to be shown."""

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
        """The confidence as a word."""
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
