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
from mission_control.database.sql import Row, Values, as_id, placeholders, rows

CHART_DAYS = 30
BAR_HEIGHT = 48
NOBODYS = UUID(int=0)
SUMS = (
    "COALESCE(SUM(e.input_tokens), 0) AS input_tokens, COALESCE(SUM(e.output_tokens), 0) AS output_tokens,"
    " COALESCE(SUM(e.cost_micros), 0) AS cost_micros"
)


async def sums_of_agent(agent_id: UUID) -> UsageSoFar:
    """Return the usage of an agent today (UTC) and in total."""
    found = await rows(
        f"SELECT e.day >= ? AS is_today, {SUMS} FROM usage_entries e WHERE e.agent_id = ? GROUP BY 1", today(), agent_id
    )
    now = next((row for row in found if row["is_today"]), None)
    return UsageSoFar(today=_sums([now] if now else []), total=_sums(found))


async def days_of_agent(agent_id: UUID, count: int) -> list[UsageDay]:
    """Return the usage of an agent on each of the last days (UTC), oldest first, with zeros for days without usage."""
    return await _days("e.agent_id = ?", agent_id, count)


async def days_of_organization(organization_id: UUID, count: int) -> list[UsageDay]:
    """Return the usage of an organization on each of the last days (UTC), likewise."""
    return await _days("e.organization_id = ?", organization_id, count)


async def _days(where: str, value: UUID, count: int) -> list[UsageDay]:
    last = times.clock_now().date()
    days = [last - timedelta(days=back) for back in reversed(range(count))]
    found = await rows(
        f"SELECT e.day, {SUMS} FROM usage_entries e WHERE {where} AND e.day >= ? GROUP BY e.day",
        value,
        days[0].isoformat(),
    )
    by_day = {row["day"]: row for row in found}
    return [UsageDay(day=day, **_figures([row] if (row := by_day.get(day.isoformat())) else [])) for day in days]


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


async def used_today(agent_ids: list[UUID]) -> dict[UUID, UsageSums]:
    """Return today's usage (UTC) of some agents, by agent, without those that used nothing."""
    if not agent_ids:
        return {}
    found = await rows(
        f"SELECT e.agent_id, {SUMS} FROM usage_entries e WHERE e.day = ?"
        f" AND e.agent_id IN ({placeholders(len(agent_ids))}) GROUP BY e.agent_id",
        today(),
        *agent_ids,
    )
    return {UUID(str(row["agent_id"])): _sums([row]) for row in found}


def _sums(found: list[Row]) -> UsageSums:
    return UsageSums(**_figures(found))


def _figures(found: list[Row]) -> Row:
    input_tokens, output_tokens, cost = (
        sum(int(row[name]) for row in found) for name in ("input_tokens", "output_tokens", "cost_micros")
    )
    return {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "tokens": input_tokens + output_tokens,
        "cost_usd": cost / MICROS,
    }


async def usage_page(actor: Actor, query: UsageQuery) -> UsagePage:
    """Return usage by day, agent and board, newest day first, of readable boards. Raise 404 for another."""
    where, values = await _wanted(actor, query)
    source = f"FROM usage_entries e LEFT JOIN boards b ON b.id = e.board_id AND b.deleted_at IS NULL WHERE {where}"
    grouped = f"SELECT e.day, e.agent_id, e.board_id, b.name AS board_name, {SUMS} {source}"
    grouped += " GROUP BY e.day, e.agent_id, e.board_id, b.name"
    found = await rows(
        f"SELECT g.*, a.name AS agent_name FROM ({grouped}) g LEFT JOIN agents a ON a.id = g.agent_id"
        " ORDER BY g.day DESC, LOWER(a.name) NULLS LAST, LOWER(g.board_name) NULLS LAST, g.agent_id, g.board_id"
        " LIMIT ? OFFSET ?",
        *values,
        query.limit,
        query.offset,
    )
    [count] = await rows(f"SELECT COUNT(*) AS n FROM ({grouped}) g", *values)
    return UsagePage(
        items=[_line(row) for row in found],
        total=int(count["n"]),
        limit=query.limit,
        offset=query.offset,
        sums=_sums(await rows(f"SELECT {SUMS} {source}", *values)),
    )


def _line(row: Row) -> UsageLine:
    named = {name: row[name] for name in ("day", "agent_id", "agent_name", "board_id", "board_name")}
    return UsageLine(**named, **_figures([row]))


async def _wanted(actor: Actor, query: UsageQuery) -> tuple[str, Values]:
    until = query.until or times.clock_now().date()
    since = query.since or (
        until - timedelta(days=CHART_DAYS - 1) if until > date.min + timedelta(days=CHART_DAYS) else date.min
    )
    if since > until:
        raise invalid_field("from", "the first day lies after the last one", str(since))
    reach, values = _reached(actor)
    where, values = f"{reach} AND e.day BETWEEN ? AND ?", [*values, since.isoformat(), until.isoformat()]
    if query.board_id is not None:
        await visible_board(actor, query.board_id)
        where, values = f"{where} AND e.board_id = ?", [*values, query.board_id]
    if query.agent_id is not None:
        await _known_agent(actor, query.agent_id)
        where, values = f"{where} AND e.agent_id = ?", [*values, query.agent_id]
    return where, values


def _reached(actor: Actor) -> tuple[str, Values]:
    """Match entries of boards that the actor can read. Only those who read all boards see those of deleted boards."""
    whole, single = actor.readable_boards()
    if actor.organization_id in whole:
        return "e.organization_id = ?", [actor.organization_id]
    boards = placeholders(len(single) or 1)
    return f"e.organization_id = ? AND b.id IN ({boards})", [actor.organization_id, *(single or [NOBODYS])]


async def _known_agent(actor: Actor, agent_id: UUID) -> None:
    found = await rows(
        "SELECT board_id FROM agents WHERE id = ? AND organization_id = ?", agent_id, actor.organization_id
    )
    if not found:
        raise NotFound()
    if (board_id := as_id(found[0]["board_id"])) is not None:
        await visible_board(actor, board_id)
