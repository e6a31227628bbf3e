"""Why tasks wait: what a reason looks like, and where the features above that know the reasons are asked for them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from mission_control.core.extensions import Hook
from mission_control.core.values import JsonObject, Schema

Kind = Literal[
    "flagged", "organization_paused", "board_paused", "assignee_paused", "parked", "ready", "lease", "dependency",
    "part", "approval", "question", "rule", "backoff", "not_before", "budget", "wip_limit", "review", "person",
    "assignee_offline", "no_capable_agent", "available",
]  # fmt: skip
Reasons = list[JsonObject]


class WaitedTask(Schema):
    """A task that another one waits for."""

    id: UUID
    number: int
    title: str


class WaitingReason(Schema):
    """One thing that a task waits for, as a sentence; of the other fields only those of its kind are set.

    `rule` names the board's rule, `column` the one that is full. `since` is when it began, `until` when it ends.
    """

    kind: Kind
    text: str
    tasks: list[WaitedTask]
    approval_id: UUID | None
    question_id: UUID | None
    agent_id: UUID | None
    agent_name: str | None
    user_id: UUID | None
    budget_id: UUID | None
    rule: str | None
    column: str | None
    limit: int | None
    since: datetime | None
    until: datetime | None


# Returns the reasons of some tasks by id, in one statement.
Explain = Callable[[list[Any]], Awaitable[dict[str, Reasons]]]


explain_waiting = Hook[Explain](is_single=True)


async def add_reasons(tasks: list[JsonObject]) -> None:
    """Add to tasks in their wire shape what each waits for."""
    explain = explain_waiting.function
    reasons = await explain([task["id"] for task in tasks]) if explain and tasks else {}
    for task in tasks:
        task["waiting"] = reasons.get(str(task["id"]), [])
