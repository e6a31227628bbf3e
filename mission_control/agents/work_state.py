"""Whether agents may start work, when they were last seen, and waiting for another directive."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from mission_control.agents.models import Agent, Budget
from mission_control.agents.queries import own_agent
from mission_control.agents.schemas import AgentCheckedIn, AgentWait
from mission_control.agents.usage.queries import exhausted
from mission_control.background.loops import Loop
from mission_control.boards.models import Board
from mission_control.boards.queries import SILENT_AFTER
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.database.sql import placeholders, rows
from mission_control.events import broker
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.reader_wakeups import publish_signal, publish_signals
from mission_control.events.unit_of_work import notify, reacts_to
from mission_control.http import authentication
from mission_control.http.operation import settled
from mission_control.people.organizations import work_state

EVENTS = (Kind("agent.work_state_changed", "An agent was paused, stopped, or let run on."),)


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
        whose = f"The {self.who} {self.name} is {self.state}"
        return f"{whose}: {self.reason.rstrip('.')}." if self.reason else f"{whose}."


class Directive(NamedTuple):
    """The directive that a heartbeat answers: `continue`, `pause` (take nothing new) or `stop`; and why."""

    directive: str
    directive_reason: str | None


@command("agent.set_work_state")
async def set_agent_state(actor: Actor, agent: Agent, change: work_state.WorkStateChange) -> Agent:
    """Pause, stop or resume one agent. Setting the current state is a no-op."""
    present = Agent.get_or_none(id=agent.id).select_related("board")
    return await work_state.set_work_state(
        "agent.work_state_changed", "Agent", agent.organization_id, present, change, name=agent.name
    )


async def refuse_when_paused(agent_id: UUID | None, board_id: UUID) -> None:
    """Raise 409 in a command that assigns work when the agent, the board or the organization is paused or stopped.

    The code is `agent_paused`, `board_paused` or `organization_paused`. Nothing is paused until the command ends.
    """
    await work_state.lock_work_state_shared(board_id)
    standing = await standing_of(agent_id, board_id)
    if standing.state != work_state.RUNNING:
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
    states = await rows(
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
    for state in (work_state.STOPPED, work_state.PAUSED):
        for who in ("agent", "board", "organization"):
            if states and states[0][f"{who}_state"] == state:
                return Standing(state, who, states[0][f"{who}_name"], states[0][f"{who}_reason"])
    return Standing(work_state.RUNNING)


async def directive_of(agent: Agent) -> Directive:
    """Return what an agent should do now: stop when it is stopped or over a budget, pause when it is paused."""
    standing = await standing_of(agent.id, agent.board_id)
    if standing.state == work_state.STOPPED:
        return Directive("stop", str(standing))
    if (budget := await exhausted(agent.id, agent.board_id, agent.organization_id)) is not None:
        return Directive("stop", used_up(budget))
    return Directive("pause", str(standing)) if standing.state == work_state.PAUSED else Directive("continue", None)


def used_up(budget: Budget) -> str:
    unit = "tokens" if budget.unit == "tokens" else "money"
    which = "Today's budget" if budget.period == "day" else "The budget"
    return f"{which} of {unit} for the {budget.subject} is used up."


async def wait_for_directive(actor: Actor, agent: Agent, query: AgentWait) -> AgentCheckedIn:
    """Return the agent once its directive is another one than it knows, or as it is when the time is over."""
    return await settled(
        actor,
        agent,
        channel_of(agent.organization_id),
        find=own_agent,
        read=_checked_in,
        is_settled=lambda answer: answer.directive != query.known,
        seconds=query.wait_seconds,
    )


async def _checked_in(agent: Agent) -> AgentCheckedIn:
    return AgentCheckedIn.of(agent, **(await directive_of(agent))._asdict())


@reacts_to(
    "agent.work_state_changed",
    "board.work_state_changed",
    "organization.work_state_changed",
    "budget.created",
    "budget.updated",
    "budget.deleted",
    "budget.exceeded",
)
async def wake_polls_of_directives(actor: Actor, event: NewEvent) -> None:
    """Directives may be others: people pause and resume seldom, so all agents of the organization look."""
    notify(channel_of(event.scope.organization_id))


def channel_of(organization_id: UUID) -> str:
    return f"directives:{organization_id}"


TOUCH_AGAIN_AFTER = timedelta(seconds=30)
AT_ONCE = 100
# A call ends the wait for it, and what was wrong before it.
CHECKED_IN = "wake_attempts = 0, checkin_deadline_at = NULL, last_provision_error = NULL"
# An agent of a gateway whose board has no gateway cannot be reached, although it calls.
WITHOUT_GATEWAY = (
    "(status = 'error' AND gateway_id IS NOT NULL AND EXISTS"
    " (SELECT 1 FROM boards b WHERE b.id = agents.board_id AND b.gateway_id IS NULL))"
)

_log = logging.getLogger(__name__)


_seen: dict[UUID, None] = {}  # agents that asked again whether there is news, and were told of nothing


@authentication.agent_seen
async def agent_seen(actor: Actor, last_seen_at: datetime | None) -> None:
    """Mark a calling agent as online, unless its last call was a moment ago."""
    if last_seen_at is None or times.clock_now() - last_seen_at >= TOUCH_AGAIN_AFTER:
        await _mark([actor.agent_id])


@authentication.quiet_agent_seen
def quiet_agent_seen(actor: Actor) -> None:
    """Mark an agent as online together with others, a moment later."""
    if actor.agent_id is not None:
        _seen[actor.agent_id] = None


async def mark_seen() -> None:
    """Mark the agents as online that asked since the last look."""
    agents = list(_seen)
    _seen.clear()
    for start in range(0, len(agents), AT_ONCE):
        await _mark(agents[start : start + AT_ONCE])


async def _mark(agents: Sequence[UUID | None]) -> None:
    now = times.clock_now()
    touched = await rows(
        f"UPDATE agents SET last_seen_at = ?, updated_at = ?, {CHECKED_IN},"
        f" status = CASE WHEN status = 'deleting' OR {WITHOUT_GATEWAY} THEN status ELSE 'online' END"
        f" WHERE id IN ({placeholders(len(agents))}) AND (last_seen_at IS NULL OR last_seen_at < ?)"
        " RETURNING id, organization_id, board_id",
        now,
        now,
        *agents,
        now - TOUCH_AGAIN_AFTER,
    )
    await publish_signals(
        [
            (UUID(str(row["organization_id"])), {"agent_id": str(row["id"]), "board_id": str(row["board_id"])})
            for row in touched
        ]
    )


SEEN = Loop(name="writing down which agents wait", look=mark_seen, pause=5.0, when=lambda: bool(_seen), stop=mark_seen)


async def notify_silent(since: datetime, until: datetime) -> None:
    """Signal to live readers that the time of some agents without a sign ended between two moments."""
    since, until = since - SILENT_AFTER, until - SILENT_AFTER
    silent = Agent.filter(gateway_id=None, last_seen_at__gte=since, last_seen_at__lt=until)
    for agent in await silent.only("id", "organization_id", "board_id"):
        await publish_signal(agent.organization_id, agent_id=str(agent.id), board_id=str(agent.board_id))


SILENCE = Loop(name="looking for silent agents", look=notify_silent, pause=15.0, spans=True, when=broker.is_read)
