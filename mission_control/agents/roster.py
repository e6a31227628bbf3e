"""Read agents for people: their state, their work, and the words for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agents, waiting_notices, working_on
from mission_control.agents.sums import used_today
from mission_control.agents.usage_queries import short
from mission_control.boards.models import Board
from mission_control.boards.queries import OFFLINE_AFTER, boards_of
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.times import elapsed, relative
from mission_control.database.sql import Row, as_moment, placeholders, rows

IDLE_AFTER = timedelta(minutes=2)
MAX_TASKS = 20


@dataclass(frozen=True, slots=True)
class Work:
    number: int
    title: str
    url: str
    status: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    name: str
    role: str
    is_lead: bool
    status: str
    extra: str
    last_seen_at: datetime | None
    work: list[Work] = field(default_factory=list)
    notices: int = 0
    asking: int = 0
    work_state: str = "running"
    work_state_reason: str | None = None
    work_state_at: datetime | None = None
    runs_today: int = 0
    tokens_today: int = 0

    @property
    def tokens_short(self) -> str:
        """Today's tokens in few characters."""
        return short(self.tokens_today)


@dataclass(frozen=True, slots=True)
class Group:
    """The agents of one board or of none, and whether the actor may pause and stop them."""

    board: Board | None
    lines: list[Line]
    may_set: bool = False


async def roster_by_board(actor: Actor) -> list[Group]:
    """Every board of the organization that the actor reads with its agents, leads first, then by name.

    Main agents of gateways, which are on no board, come last.
    """
    boards = await boards_of(actor)
    agents = await visible_agents(actor).filter(organization_id=actor.organization_id)
    agents.sort(key=lambda agent: (not agent.is_board_lead, agent.name.lower()))
    lines = await lines_of(agents)
    grouped: dict[UUID | None, list[Line]] = {}
    for agent in agents:
        grouped.setdefault(agent.board_id, []).append(lines[agent.id])
    groups = [Group(board, grouped.get(board.id, []), can(actor, "board.set_work_state", board)) for board in boards]
    return [*groups, Group(None, grouped[None])] if None in grouped else groups


async def lines_of(agents: Sequence[Agent]) -> dict[UUID, Line]:
    ids = [agent.id for agent in agents]
    work, notices, asking = await working_on(ids), await waiting_notices(ids), await _asking(ids)
    runs, used = await _runs_today(ids), await used_today(ids)
    return {
        agent.id: _line(
            agent,
            [_work(row) for row in work.get(agent.id, [])],
            asking.get(agent.id, 0),
            notices=notices.get(agent.id, 0),
            runs_today=runs.get(agent.id, 0),
            tokens_today=used[agent.id].tokens if agent.id in used else 0,
        )
        for agent in agents
    }


async def _runs_today(agent_ids: list[UUID]) -> dict[UUID, int]:
    """Return the number of runs of each agent that began today (UTC)."""
    if not agent_ids:
        return {}
    found = await rows(
        "SELECT agent_id, COUNT(*) AS n FROM task_runs WHERE started_at >= ?"
        f" AND agent_id IN ({placeholders(len(agent_ids))}) GROUP BY agent_id",
        datetime.combine(times.clock_now().date(), time.min),
        *agent_ids,
    )
    return {UUID(str(row["agent_id"])): int(row["n"]) for row in found}


SAID_BY_BADGE = ("lead", "board lead")


def _line(agent: Agent, tasks: list[Work], asking: int, **figures: int) -> Line:
    status, extra = status_of(agent, tasks, asking)
    return Line(
        id=agent.id,
        name=agent.name,
        role="" if agent.is_board_lead and role_of(agent).lower() in SAID_BY_BADGE else role_of(agent),
        is_lead=agent.is_board_lead,
        status=status,
        extra=extra,
        last_seen_at=agent.last_seen_at,
        work=tasks,
        asking=asking,
        work_state=agent.work_state,
        work_state_reason=agent.work_state_reason,
        work_state_at=agent.work_state_at,
        **figures,
    )


def status_of(agent: Agent, work: list[Work], asking: int) -> tuple[str, str]:
    """Return the agent's state, and the text after its word."""
    if agent.status in ("error", "updating") and agent.gateway_id is not None:
        return agent.status, ""
    if agent.last_seen_at is None:
        if agent.board_id is None and agent.workspace_token is None and agent.gateway_id is not None:
            return "unneeded", ""
        return ("offline" if agent.status == "offline" else "provisioning"), ""
    silence = times.clock_now() - agent.last_seen_at
    if agent.gateway_id is not None:
        return _status_on_gateway(agent, work, asking, silence)
    if silence > OFFLINE_AFTER:
        return "offline", f"since {relative(agent.last_seen_at)}" if silence > timedelta(days=1) else ""
    if asking:
        return "waiting", ""
    if work:
        return "working", _how_long(work[0].since)
    return ("idle" if silence > IDLE_AFTER or agent.status == "idle" else "online"), ""


def _status_on_gateway(agent: Agent, work: list[Work], asking: int, silence: timedelta) -> tuple[str, str]:
    if agent.status == "offline":
        return "offline", ""
    if agent.gateway_away_at is not None:
        return "gateway_away", f"since {relative(agent.gateway_away_at)}"
    if asking:
        return "waiting", ""
    if agent.run_began_at is not None:
        return "working", _how_long(work[0].since if work else agent.run_began_at)
    return ("idle" if silence > IDLE_AFTER else "online"), ""


def _how_long(since: datetime | None) -> str:
    """Return how long it has worked, once that is a minute."""
    text = elapsed(since) if since is not None else ""
    return "" if text == "0 m" else text


def role_of(agent: Agent) -> str:
    return str((agent.identity_profile or {}).get("role", ""))


async def _asking(agent_ids: list[UUID]) -> dict[UUID, int]:
    """Return the number of approvals and questions of each agent that wait for a person."""
    if not agent_ids:
        return {}
    theirs = f"agent_id IN ({placeholders(len(agent_ids))})"
    found = await rows(
        "SELECT agent_id, COUNT(*) AS n FROM ("
        f"SELECT agent_id FROM approvals WHERE status = 'pending' AND {theirs}"
        f" UNION ALL SELECT agent_id FROM agent_questions WHERE state = 'open' AND {theirs}"
        ") asked GROUP BY agent_id",
        *agent_ids,
        *agent_ids,
    )
    return {UUID(str(row["agent_id"])): int(row["n"]) for row in found}


async def tasks_of(agent: Agent) -> list[Work]:
    """Return the agent's tasks, those in progress first, then the newest."""
    found = await rows(
        "SELECT id, number, title, status, board_id, in_progress_at FROM tasks WHERE deleted_at IS NULL AND"
        " assigned_agent_id = ? ORDER BY CASE status WHEN 'in_progress' THEN 0 WHEN 'review' THEN 1"
        f" WHEN 'inbox' THEN 2 ELSE 3 END, updated_at DESC LIMIT {MAX_TASKS}",
        agent.id,
    )
    return [_work(row) for row in found]


def _work(row: Row) -> Work:
    return Work(
        int(row["number"]),
        row["title"],
        f"/boards/{row['board_id']}/tasks/{row['id']}",
        row.get("status") or "in_progress",
        as_moment(row["in_progress_at"]),
    )


async def first_task(agent: Agent) -> UUID | None:
    """Return the task for a new agent's first steps: its own, else the board's first that is not assigned."""
    found = await rows(
        "SELECT id FROM tasks WHERE deleted_at IS NULL AND board_id = ? AND ((status = 'in_progress' AND"
        " assigned_agent_id = ?) OR (status = 'inbox' AND assigned_agent_id IS NULL AND assigned_user_id IS NULL)"
        " OR id IN (SELECT task_id FROM task_runs WHERE agent_id = ?)) ORDER BY CASE status WHEN 'in_progress' THEN 0"
        " WHEN 'review' THEN 1 WHEN 'done' THEN 2 ELSE 3 END, created_at LIMIT 1",
        agent.board_id,
        agent.id,
        agent.id,
    )
    return UUID(str(found[0]["id"])) if found else None


async def has_worked(agent: Agent) -> bool:
    """Return whether the agent ever took a task."""
    return bool(await rows("SELECT 1 AS one FROM task_runs WHERE agent_id = ? LIMIT 1", agent.id))


async def has_asked(agent: Agent) -> bool:
    """Return whether the agent ever asked for an approval."""
    return bool(await rows("SELECT 1 AS one FROM approvals WHERE agent_id = ? LIMIT 1", agent.id))
