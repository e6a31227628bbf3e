"""Read agents for people: their state, their work, and the words for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from mission_control.agents.holds.schemas import AgentHold
from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agents
from mission_control.boards.models import Board
from mission_control.boards.queries import SILENT_AFTER, boards_of
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.times import elapsed, relative
from mission_control.database.sql import Row, Values, as_moment, placeholders, rows

IDLE_AFTER = timedelta(minutes=2)
MAX_TASKS = 20
WORK = "id, number, title, status, board_id, in_progress_at"


@dataclass(frozen=True, slots=True)
class Work:
    number: int
    title: str
    url: str
    status: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """An agent in a list: its state, with the text after its word, what it works on, and figures."""

    agent: Agent
    role: str
    hold: AgentHold | None
    status: str
    extra: str
    work: list[Work]
    notices: int
    asking: int
    runs_today: int
    tokens_today: int
    gaps_today: int
    budgets_over: int


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
    lines = list((await lines_of(agents)).values())
    groups = []
    for board in boards:
        of_board = [line for line in lines if line.agent.board_id == board.id]
        groups.append(Group(board, of_board, can(actor, "board.set_work_state", board)))
    on_none = [line for line in lines if line.agent.board_id is None]
    return [*groups, Group(None, on_none)] if on_none else groups


# Each is what its second part sums up for an agent: notices that were not acknowledged, approvals and questions that
# wait for a person, runs that began today (UTC), today's tokens, and budgets that are used up.
FIGURES = (
    ("notices", "COUNT(*)", "deliveries WHERE state IN ('waiting', 'sending', 'failed')"),
    ("asking", "COUNT(*)", "approvals WHERE status = 'pending'"),
    ("asking", "COUNT(*)", "agent_questions WHERE state = 'open'"),
    ("runs_today", "COUNT(*)", "task_runs WHERE started_at >= ?"),
    ("tokens_today", "SUM(input_tokens + output_tokens)", "usage_entries WHERE day = ?"),
    ("gaps_today", "SUM(gaps)", "usage_entries WHERE day = ?"),
    (
        "budgets_over",
        "COUNT(*)",
        "(SELECT a.id AS agent_id, x.period, x.exceeded_on FROM agents a JOIN budgets x"
        " ON x.organization_id = a.organization_id AND (x.agent_id = a.id OR x.board_id = a.board_id"
        " OR (x.agent_id IS NULL AND x.board_id IS NULL)) WHERE x.exceeded_on IS NOT NULL) o"
        " WHERE (period = 'total' OR exceeded_on = ?)",
    ),
)


async def lines_of(agents: Sequence[Agent]) -> dict[UUID, Line]:
    if not agents:
        return {}
    ids, day = [agent.id for agent in agents], times.clock_now().date()
    today = day.isoformat()
    since: dict[str, datetime | str] = {"runs_today": datetime.combine(day, time.min)}
    since |= dict.fromkeys(("tokens_today", "gaps_today", "budgets_over"), today)
    theirs = f"IN ({placeholders(len(ids))})"
    values: Values = []
    for name, _, _ in FIGURES:
        values += [since[name], *ids] if name in since else ids
    counts = " UNION ALL ".join(
        f"SELECT agent_id, '{name}' AS name, {what} AS n FROM {source} AND agent_id {theirs} GROUP BY agent_id"
        for name, what, source in FIGURES
    )
    figures = {agent_id: dict.fromkeys((name for name, _, _ in FIGURES), 0) for agent_id in ids}
    for row in await rows(counts, *values):
        figures[UUID(str(row["agent_id"]))][row["name"]] += int(row["n"])
    work = await _work_of(ids)
    return {agent.id: _line(agent, work[agent.id], **figures[agent.id]) for agent in agents}


async def _work_of(ids: Sequence[UUID]) -> dict[UUID, list[Work]]:
    work: dict[UUID, list[Work]] = {agent_id: [] for agent_id in ids}
    for row in await rows(
        f"SELECT {WORK}, assigned_agent_id FROM tasks WHERE deleted_at IS NULL AND status = 'in_progress'"
        f" AND assigned_agent_id IN ({placeholders(len(ids))}) ORDER BY in_progress_at DESC",
        *ids,
    ):
        work[UUID(str(row["assigned_agent_id"]))].append(_work(row))
    return work


def _line(agent: Agent, work: list[Work], asking: int, **figures: int) -> Line:
    status, extra = status_of(agent, work, asking)
    role = role_of(agent)
    if agent.is_board_lead and role.lower() in ("lead", "board lead"):
        role = ""  # its badge says it
    return Line(agent, role, AgentHold.stored(agent.hold), status, extra, work, asking=asking, **figures)


def status_of(agent: Agent, work: list[Work], asking: int) -> tuple[str, str]:
    """Return the agent's state, and the text after its word."""
    if agent.status in ("error", "updating") and agent.gateway_id is not None:
        return agent.status, ""
    if agent.hold is not None:
        return "holding", ""
    if agent.last_seen_at is None:
        return _status_unseen(agent), ""
    silence = times.clock_now() - agent.last_seen_at
    if agent.gateway_id is not None:
        return _status_on_gateway(agent, work, asking, silence)
    if silence > SILENT_AFTER:
        return "offline", elapsed(agent.last_seen_at)
    if asking:
        return "waiting", ""
    if work:
        return "working", _how_long(work[0].since)
    return ("idle" if silence > IDLE_AFTER or agent.status == "idle" else "online"), ""


def _status_unseen(agent: Agent) -> str:
    if agent.board_id is None and agent.workspace_token is None and agent.gateway_id is not None:
        return "unneeded"
    return "offline" if agent.status == "offline" else "provisioning"


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
    return elapsed(since) if since is not None else ""


def role_of(agent: Agent) -> str:
    return str((agent.identity_profile or {}).get("role", ""))


async def tasks_of(agent: Agent) -> list[Work]:
    """Return the agent's tasks, those in progress first, then the newest."""
    tasks = await rows(
        f"SELECT {WORK} FROM tasks WHERE deleted_at IS NULL AND"
        " assigned_agent_id = ? ORDER BY CASE status WHEN 'in_progress' THEN 0 WHEN 'review' THEN 1"
        f" WHEN 'inbox' THEN 2 ELSE 3 END, updated_at DESC LIMIT {MAX_TASKS}",
        agent.id,
    )
    return [_work(row) for row in tasks]


def _work(row: Row) -> Work:
    return Work(
        int(row["number"]),
        row["title"],
        f"/boards/{row['board_id']}/tasks/{row['id']}",
        row["status"],
        as_moment(row["in_progress_at"]),
    )
