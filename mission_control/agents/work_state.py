"""Check whether agents may start work: their own state, their board's, the organization's, and their budgets."""

from typing import NamedTuple
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.reactions import react
from mission_control.commands.unit_of_work import record
from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, NotFound
from mission_control.database.sql import rows
from mission_control.organizations.work_state import (
    FIELDS,
    HAPPENED,
    PAUSED,
    RUNNING,
    STOPPED,
    WorkStateChange,
    apply,
    change_of,
    lock_work_state,
    lock_work_state_shared,
    reason_of,
)
from mission_control.usage.models import Budget
from mission_control.usage.queries import exhausted

PERIODS = {"day": "today's budget", "total": "the budget"}


PAUSED_CODES = {
    "agent": ErrorCode.AGENT_PAUSED,
    "board": ErrorCode.BOARD_PAUSED,
    "organization": ErrorCode.ORGANIZATION_PAUSED,
}


class Standing(NamedTuple):
    """The strongest work state for an agent on a board, and where it comes from: `agent`, `board` or `organization`."""

    state: str
    who: str | None = None
    name: str = ""
    reason: str | None = None

    def __str__(self) -> str:
        """As a sentence."""
        whose = f"The {self.who} {self.name} is {self.state}"
        return f"{whose}: {self.reason.rstrip('.')}." if self.reason else f"{whose}."


class Directive(NamedTuple):
    """The directive that a heartbeat answers: `continue`, `pause` (take nothing new) or `stop`; and why."""

    directive: str
    directive_reason: str | None


@command("agent.set_work_state")
async def set_agent_state(actor: Actor, agent: Agent, wanted: WorkStateChange) -> Agent:
    """Pause, stop or resume one agent. Setting the current state is a no-op."""
    await lock_work_state(agent.organization_id)
    found = await Agent.get_or_none(id=agent.id)
    if found is None:
        raise NotFound()
    found.board = agent.board
    if (change := change_of(found, wanted)) is None:
        return found
    message = f"Agent {found.name} {HAPPENED[wanted.state]}{reason_of(wanted.reason)}."
    record("agent.work_state_changed", found, message, name=found.name, **change)
    await react()
    apply(found, wanted)
    await found.save(update_fields=[*FIELDS, "updated_at"])
    return found


async def refuse_when_paused(agent_id: UUID | None, board_id: UUID) -> None:
    """Raise 409 in a command that assigns work when the agent, the board or the organization is paused or stopped.

    The code is `agent_paused`, `board_paused` or `organization_paused`. Nothing is paused until the command ends.
    """
    await lock_work_state_shared(board_id)
    standing = await standing_of(agent_id, board_id)
    if standing.state != RUNNING:
        message = f"{standing} No tasks are assigned until work is resumed."
        raise Conflict(PAUSED_CODES[str(standing.who)].detail(message))


async def refuse_when_used_up(agent_id: UUID | None, board: Board) -> None:
    """Raise 409 `budget_exhausted` while a budget of the agent, the board or the organization is used up."""
    budget = await exhausted(agent_id, board.id, board.organization_id)
    if budget is not None:
        message = f"{used_up(budget)} No tasks are assigned until it allows more."
        raise Conflict({"message": message, "code": ErrorCode.BUDGET_EXHAUSTED})


async def standing_of(agent_id: UUID | None, board_id: UUID | None) -> Standing:
    """Return the strongest state for an agent (or anybody) on a board; `who` is None when all are running."""
    found = await rows(
        "SELECT b.work_state AS board_state, b.name AS board_name, b.work_state_reason AS board_reason,"
        " o.work_state AS organization_state, o.name AS organization_name, o.work_state_reason AS organization_reason,"
        " a.work_state AS agent_state, a.name AS agent_name, a.work_state_reason AS agent_reason"
        " FROM organizations o LEFT JOIN boards b ON b.id = ? LEFT JOIN agents a ON a.id = ?"
        " WHERE o.id = COALESCE((SELECT organization_id FROM boards WHERE id = ?),"
        " (SELECT organization_id FROM agents WHERE id = ?))",
        board_id,
        agent_id,
        board_id,
        agent_id,
    )
    for state in (STOPPED, PAUSED):
        for who in ("agent", "board", "organization"):
            if found and found[0][f"{who}_state"] == state:
                return Standing(state, who, found[0][f"{who}_name"], found[0][f"{who}_reason"])
    return Standing(RUNNING)


async def directive_of(agent: Agent) -> Directive:
    """Return what an agent should do now: stop when it is stopped or over a budget, pause when it is paused."""
    standing = await standing_of(agent.id, agent.board_id)
    if standing.state == STOPPED:
        return Directive("stop", str(standing))
    if (budget := await exhausted(agent.id, agent.board_id, agent.organization_id)) is not None:
        return Directive("stop", used_up(budget))
    return Directive("pause", str(standing)) if standing.state == PAUSED else Directive("continue", None)


def used_up(budget: Budget) -> str:
    """Return the sentence for agents that a budget is used up."""
    unit = "tokens" if budget.unit == "tokens" else "money"
    return f"{PERIODS[budget.period].capitalize()} of {unit} for the {budget.subject} is used up."
