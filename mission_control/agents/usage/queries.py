"""Read usage and budgets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from mission_control.agents.models import Agent, Budget
from mission_control.agents.usage.schemas import (
    BudgetRead,
    ShareQuery,
    Sharer,
    UsageDay,
    UsageLine,
    UsagePage,
    UsageQuery,
    UsageShare,
    UsageShares,
    UsageSoFar,
    UsageSums,
    UsageWindow,
    today,
)
from mission_control.boards.models import Run
from mission_control.boards.queries import visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, OnlySystem, rule
from mission_control.core.amounts import MICROS
from mission_control.core.errors import NotFound, existing, invalid_field
from mission_control.core.values import Paging
from mission_control.database.records import find
from mission_control.database.sql import Row, Values, as_id, as_json, placeholders, rows, select_one
from mission_control.http.registry import lookup


def windows_of(stored: object) -> list[UsageWindow]:
    """Return the windows of a session that have not begun anew since."""
    windows, now = [UsageWindow.model_validate(window) for window in as_json(stored) or []], times.clock_now()
    return [window for window in windows if window.resets_at is None or window.resets_at > now]


async def windows_of_agent(agent_id: UUID) -> list[UsageWindow]:
    """Return what the newest session of an agent that was told of windows says of them."""
    sessions = await rows(
        "SELECT usage_windows FROM agent_sessions WHERE agent_id = ? AND usage_windows IS NOT NULL"
        " ORDER BY last_seen_at DESC LIMIT 1",
        agent_id,
    )
    return windows_of(sessions[0]["usage_windows"]) if sessions else []


# Budgets of boards in the trash, and of their agents, are passed over.
BUDGETS = (
    " FROM budgets u LEFT JOIN agents a ON a.id = u.agent_id"
    " LEFT JOIN boards b ON b.id = COALESCE(u.board_id, a.board_id)"
    " WHERE u.organization_id = ? AND b.deleted_at IS NULL"
)


async def exhausted(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> Budget | None:
    """Return a used-up budget of the agent, its board or the organization; None when there is none.

    One statement is enough: the report that uses up a budget stores that under the budget's lock.
    """
    return await find(
        Budget,
        "organization_id = ? AND (agent_id = ? OR board_id = ? OR (agent_id IS NULL AND board_id IS NULL))"
        " AND ((period = 'day' AND exceeded_on = ?) OR (period = 'total' AND exceeded_on IS NOT NULL))"
        " ORDER BY created_at, id LIMIT 1",
        organization_id,
        agent_id,
        board_id,
        today(),
    )


def concerned(agent_id: UUID | None, board_id: UUID | None, organization_id: UUID) -> QuerySet[Budget]:
    subject = Q(agent_id=None, board_id=None)
    if agent_id is not None:
        subject |= Q(agent_id=agent_id)
    if board_id is not None:
        subject |= Q(board_id=board_id)
    return Budget.filter(subject, organization_id=organization_id)


@lookup
async def visible_budget(actor: Actor, budget_id: UUID) -> Budget:
    return await existing(Budget.get_or_none(id=budget_id, organization_id=actor.organization_id))


async def list_budgets(actor: Actor, paging: Paging) -> tuple[list[BudgetRead], int]:
    """Return the budgets of the active organization: its own, then those of boards and agents by name."""
    budgets = await rows(
        "SELECT u.*, a.name AS agent_name, CASE WHEN u.board_id IS NULL THEN NULL ELSE b.name END AS board_name"
        f"{BUDGETS}"
        " ORDER BY CASE WHEN u.agent_id IS NOT NULL THEN 2 WHEN u.board_id IS NOT NULL THEN 1 ELSE 0 END,"
        " LOWER(COALESCE(a.name, b.name, '')), COALESCE(a.name, b.name, ''), COALESCE(u.agent_id, u.board_id),"
        " u.unit DESC, u.period LIMIT ? OFFSET ?",
        actor.organization_id,
        paging.limit,
        paging.offset,
    )
    [count] = await rows(f"SELECT COUNT(*) AS n{BUDGETS}", actor.organization_id)
    return [_read(row) for row in budgets], int(count["n"])


async def budget_read(actor: Actor, budget_id: UUID) -> BudgetRead:
    [row] = await rows(
        "SELECT u.*, a.name AS agent_name, b.name AS board_name FROM budgets u LEFT JOIN agents a ON a.id = u.agent_id"
        " LEFT JOIN boards b ON b.id = u.board_id WHERE u.id = ? AND u.organization_id = ?",
        budget_id,
        actor.organization_id,
    )
    return _read(row)


def _read(row: Row) -> BudgetRead:
    budget = Budget(**{name: row[name] for name in ("id", "agent_id", "board_id", "unit", "period", "limit_amount")})
    for name in ("used_amount", "unpriced_tokens", "gaps", "used_on"):
        setattr(budget, name, row[name])
    return BudgetRead.of(budget, **{name: row[name] for name in BudgetRead.__annotations__})


@rule("usage.report", "session.report")
def may_report(actor: Actor, agent_id: UUID | None) -> bool:
    """The agent itself."""
    return actor.is_agent and agent_id in (None, actor.id)


# Only the system, which reads it from gateways.
ONLY_SYSTEM = OnlySystem("usage.measure")


async def reported_run(agent: Agent, task_id: UUID, fence: int | None) -> Run | None:
    """Return the agent's newest run of a task, or the one with a fence; 404 for other boards' tasks and others' runs.

    Deleted tasks count: the usage remains.
    """
    if not await rows("SELECT 1 AS one FROM tasks WHERE id = ? AND board_id = ?", task_id, agent.board_id):
        raise NotFound("There is no such task on your board.")
    named, values = ("", [task_id, agent.id]) if fence is None else (" AND fence = ?", [task_id, agent.id, fence])
    run = await find(Run, f"task_id = ? AND agent_id = ?{named} ORDER BY fence DESC LIMIT 1", *values)
    if fence is not None and run is None:
        raise NotFound("This lease of the task was not yours.")
    return run


@rule("usage.read")
def may_read_usage(actor: Actor, thing: None) -> bool:
    """People; they see that of the boards they read."""
    return actor.is_user


@rule("budget.manage")
def may_manage_budgets(actor: Actor, thing: Budget | UUID | None) -> bool:
    """Owners and admins of the budget's organization, or of one that is named."""
    organization_id = thing.organization_id if isinstance(thing, Budget) else thing or actor.organization_id
    return actor.is_user and actor.administers(organization_id)


CHART_DAYS = 30
# The columns of UsageSums.
SUMS = (
    "COALESCE(SUM(e.input_tokens), 0) AS input_tokens, COALESCE(SUM(e.output_tokens), 0) AS output_tokens,"
    " COALESCE(SUM(e.cached_tokens), 0) AS cached_tokens, COALESCE(SUM(e.written_tokens), 0) AS written_tokens,"
    " COALESCE(SUM(e.input_tokens + e.output_tokens), 0) AS tokens,"
    " COALESCE(SUM(e.unpriced_tokens), 0) AS unpriced_tokens, COALESCE(SUM(e.gaps), 0) AS gaps,"
    f" COALESCE(SUM(e.cost_micros), 0) / {MICROS}.0 AS cost_usd,"
    f" COALESCE(SUM(CASE WHEN e.priced = 'list' THEN e.cost_micros END), 0) / {MICROS}.0 AS listed_usd,"
    f" COALESCE(SUM(CASE WHEN e.priced = 'own' THEN e.cost_micros END), 0) / {MICROS}.0 AS own_usd,"
    " MAX(CASE WHEN e.priced = 'list' THEN e.price_date END) AS listed_on"
)


ENTRIES = "FROM usage_entries e LEFT JOIN boards b ON b.id = e.board_id AND b.deleted_at IS NULL"


async def sums_of_agent(agent_id: UUID) -> UsageSoFar:
    used = f"AS span, {SUMS} FROM usage_entries e WHERE e.agent_id = ?"
    now, ever = await rows(
        f"SELECT 1 {used} AND e.day >= ? UNION ALL SELECT 2 {used} ORDER BY 1", agent_id, today(), agent_id
    )
    return UsageSoFar(today=UsageSums(**now), total=UsageSums(**ever))


async def days_of(agent_id: UUID, count: int) -> list[UsageDay]:
    since = times.clock_now().date() - timedelta(days=count - 1)
    sql = f"SELECT e.day, {SUMS} FROM usage_entries e WHERE e.agent_id = ? AND e.day >= ? GROUP BY e.day"
    return _each_day(await rows(sql, agent_id, since.isoformat()), count)


def _each_day(found: list[Row], count: int) -> list[UsageDay]:
    last, used = times.clock_now().date(), {row["day"]: row for row in found}
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(count))]
    nothing = dict.fromkeys(UsageSums.model_fields, 0) | {"listed_on": None}
    return [UsageDay(**(used.get(day) or {"day": day, **nothing})) for day in days]


async def usage_page(actor: Actor, query: UsageQuery) -> UsagePage:
    """Return usage by day, agent and board, newest day first, of readable boards. Raise 404 for another."""
    where, values = await _condition(actor, query)
    source = f"{ENTRIES} WHERE {where}"
    grouped = f"SELECT e.day, e.agent_id, e.board_id, b.name AS board_name, {SUMS} {source}"
    grouped += " GROUP BY e.day, e.agent_id, e.board_id, b.name"
    lines = await rows(
        f"SELECT g.*, a.name AS agent_name FROM ({grouped}) g LEFT JOIN agents a ON a.id = g.agent_id"
        " ORDER BY g.day DESC, LOWER(a.name) NULLS LAST, LOWER(g.board_name) NULLS LAST, g.agent_id, g.board_id"
        " LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    [count] = await rows(f"SELECT COUNT(*) AS n FROM ({grouped}) g", *values)
    [sums] = await rows(f"SELECT {SUMS} {source}", *values)
    paging = {"total": count["n"], "limit": query.limit, "offset": query.offset}
    return UsagePage(items=[UsageLine(**line) for line in lines], sums=UsageSums(**sums), **paging)


# By whom usage is shared: what is grouped by, the name, and further tables. `b` is the entry's board.
SHARERS: dict[Sharer, tuple[str, str, str]] = {
    "agent": ("e.agent_id", "g.name", " LEFT JOIN agents g ON g.id = e.agent_id"),
    "board": ("b.id", "b.name", ""),
    "task": ("t.id", "t.title", " LEFT JOIN tasks t ON t.id = e.task_id AND t.deleted_at IS NULL AND b.id IS NOT NULL"),
    "model": ("NULL", "e.model", ""),
    "person": (
        "u.id",
        "COALESCE(u.preferred_name, u.name, u.email)",
        " LEFT JOIN agent_sessions s ON s.id = e.session_id LEFT JOIN users u ON u.id = s.user_id",
    ),
}
SHARED = (
    f"{SUMS}, COUNT(DISTINCT e.session_id) AS sessions,"
    " COUNT(DISTINCT CASE WHEN e.unpriced_tokens > 0 THEN e.session_id END) AS unpriced_sessions,"
    " MAX(CASE WHEN e.unpriced_tokens > 0 THEN e.model END) AS unpriced_model"
)


async def usage_shares(actor: Actor, query: ShareQuery) -> UsageShares:
    """Return who or what used up how much of readable boards, the most expensive first. Raise 404 for another board."""
    where, values = await _condition(actor, query)
    whose, name, tables = SHARERS[query.by]
    source = f"{ENTRIES}{tables} WHERE {where}"
    place = "t.board_id" if query.by == "task" else "NULL"
    grouped = ", ".join({column: None for column in (whose, name, place) if column != "NULL"})
    shares = f"SELECT {whose} AS id, {name} AS name, {place} AS board_id, {SHARED} {source} GROUP BY {grouped}"
    totals = await rows(
        f"{shares} ORDER BY SUM(e.cost_micros) DESC, SUM(e.input_tokens + e.output_tokens) DESC, {name}"
        " LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    [count] = await rows(f"SELECT COUNT(*) AS n FROM ({shares}) g", *values)
    [sums] = await rows(f"SELECT NULL AS id, NULL AS name, NULL AS board_id, {SHARED} {source}", *values)
    paging = {"total": count["n"], "limit": query.limit, "offset": query.offset}
    return UsageShares(items=[UsageShare(**share) for share in totals], sums=UsageShare(**sums), **paging)


async def days_shared(actor: Actor, query: UsageQuery) -> list[UsageDay]:
    """Return the usage of readable boards on each day from `query.since` to today, the oldest first."""
    where, values = await _condition(actor, query)
    days = await rows(f"SELECT e.day, {SUMS} {ENTRIES} WHERE {where} GROUP BY e.day", *values)
    last = times.clock_now().date()
    return _each_day(days, (last - (query.since or last)).days + 1)


async def sums_of_session(session_id: UUID) -> UsageSums:
    [sums] = await rows(f"SELECT {SUMS} FROM usage_entries e WHERE e.session_id = ?", session_id)
    return UsageSums(**sums)


@dataclass(frozen=True, slots=True)
class UsedTask:
    """The task whose usage is asked for."""

    board_id: UUID
    created_at: datetime


async def _condition(actor: Actor, query: UsageQuery) -> tuple[str, Values]:
    """Match the entries that are asked for. Only those who read all boards see those of deleted boards."""
    board_id, since, until = await _span(actor, query)
    parts: list[tuple[str, Values]] = [("e.organization_id = ?", [actor.organization_id])]
    whole, single = actor.readable_boards()
    if actor.organization_id not in whole:
        parts.append((f"b.id IN ({placeholders(len(single)) or 'NULL'})", [*single]))
    parts.append(("e.day BETWEEN ? AND ?", [since.isoformat(), until.isoformat()]))
    if board_id is not None:
        await visible_board(actor, board_id)
        parts.append(("e.board_id = ?", [board_id]))
    if query.task_id is not None:
        parts.append(("e.task_id = ?", [query.task_id]))
    if query.agent_id is not None:
        await _require_visible(actor, query.agent_id)
        parts.append(("e.agent_id = ?", [query.agent_id]))
    return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]


async def _span(actor: Actor, query: UsageQuery) -> tuple[UUID | None, date, date]:
    """Return the board and the days that are asked for; those of a task begin when it was made, on its board."""
    until = query.until or times.clock_now().date()
    since = query.since or (
        until - timedelta(days=CHART_DAYS - 1) if until > date.min + timedelta(days=CHART_DAYS) else date.min
    )
    board_id = query.board_id
    if query.task_id is not None:
        sql = "SELECT t.board_id, t.created_at FROM tasks t JOIN boards b ON b.id = t.board_id WHERE t.id = ?"
        task = await select_one(UsedTask, f"{sql} AND b.organization_id = ?", query.task_id, actor.organization_id)
        if task is None or board_id not in (None, task.board_id):
            raise NotFound()
        board_id, since = task.board_id, query.since or task.created_at.date()
    if since > until:
        raise invalid_field("from", "the first day lies after the last one", str(since))
    return board_id, since, until


async def _require_visible(actor: Actor, agent_id: UUID) -> None:
    sql = "SELECT board_id FROM agents WHERE id = ? AND organization_id = ?"
    agents = await rows(sql, agent_id, actor.organization_id)
    if not agents:
        raise NotFound()
    if (board_id := as_id(agents[0]["board_id"])) is not None:
        await visible_board(actor, board_id)
