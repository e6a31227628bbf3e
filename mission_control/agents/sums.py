"""Sums of what agents used up, by day and for a page."""

from datetime import date, timedelta
from uuid import UUID

from mission_control.agents.usage_queries import (
    MICROS,
    UsageDay,
    UsageLine,
    UsagePage,
    UsageQuery,
    UsageSoFar,
    UsageSums,
    money,
    today,
    tokens,
)
from mission_control.boards.queries import visible_board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound, invalid_field
from mission_control.database.sql import Values, as_id, placeholders, rows

CHART_DAYS = 30
BAR_HEIGHT = 48
# The columns of UsageSums.
SUMS = (
    "COALESCE(SUM(e.input_tokens), 0) AS input_tokens, COALESCE(SUM(e.output_tokens), 0) AS output_tokens,"
    " COALESCE(SUM(e.input_tokens + e.output_tokens), 0) AS tokens,"
    f" COALESCE(SUM(e.cost_micros), 0) / {MICROS}.0 AS cost_usd"
)


async def sums_of_agent(agent_id: UUID) -> UsageSoFar:
    used = f"AS span, {SUMS} FROM usage_entries e WHERE e.agent_id = ?"
    now, ever = await rows(
        f"SELECT 1 {used} AND e.day >= ? UNION ALL SELECT 2 {used} ORDER BY 1", agent_id, today(), agent_id
    )
    return UsageSoFar(today=UsageSums(**now), total=UsageSums(**ever))


async def days_of(subject: str, subject_id: UUID, count: int) -> list[UsageDay]:
    """Return the usage of an `agent` or an `organization` on each of the last days (UTC), the oldest first."""
    last = times.clock_now().date()
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(count))]
    sql = f"SELECT e.day, {SUMS} FROM usage_entries e WHERE e.{subject}_id = ? AND e.day >= ? GROUP BY e.day"
    used = {row["day"]: row for row in await rows(sql, subject_id, days[0])}
    nothing = dict.fromkeys(UsageSums.model_fields, 0)
    return [UsageDay(**(used.get(day) or {"day": day, **nothing})) for day in days]


def bars(days: list[UsageDay]) -> list[dict[str, str | int]]:
    """A bar for each day; one that is not empty can be seen."""
    most = max(one.tokens for one in days) or 1
    return [
        {
            "label": f"{one.day.day} {one.day:%b}",
            "number": f"{one.tokens:,}",
            "tokens": tokens(one.tokens),
            "cost": money(one.cost_usd),
            "height": max(2, round(one.tokens * BAR_HEIGHT / most)) if one.tokens else 0,
        }
        for one in days
    ]


async def usage_page(actor: Actor, query: UsageQuery) -> UsagePage:
    """Return usage by day, agent and board, newest day first, of readable boards. Raise 404 for another."""
    where, values = await _condition(actor, query)
    source = f"FROM usage_entries e LEFT JOIN boards b ON b.id = e.board_id AND b.deleted_at IS NULL WHERE {where}"
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


async def _condition(actor: Actor, query: UsageQuery) -> tuple[str, Values]:
    """Match the entries that are asked for. Only those who read all boards see those of deleted boards."""
    until = query.until or times.clock_now().date()
    since = query.since or (
        until - timedelta(days=CHART_DAYS - 1) if until > date.min + timedelta(days=CHART_DAYS) else date.min
    )
    if since > until:
        raise invalid_field("from", "the first day lies after the last one", str(since))
    where = "e.organization_id = ?"
    values: Values = [actor.organization_id]
    whole, single = actor.readable_boards()
    if actor.organization_id not in whole:
        where, values = f"{where} AND b.id IN ({placeholders(len(single)) or 'NULL'})", [*values, *single]
    where, values = f"{where} AND e.day BETWEEN ? AND ?", [*values, since.isoformat(), until.isoformat()]
    if query.board_id is not None:
        await visible_board(actor, query.board_id)
        where, values = f"{where} AND e.board_id = ?", [*values, query.board_id]
    if query.agent_id is not None:
        sql = "SELECT board_id FROM agents WHERE id = ? AND organization_id = ?"
        agents = await rows(sql, query.agent_id, actor.organization_id)
        if not agents:
            raise NotFound()
        if (board_id := as_id(agents[0]["board_id"])) is not None:
            await visible_board(actor, board_id)
        where, values = f"{where} AND e.agent_id = ?", [*values, query.agent_id]
    return where, values
