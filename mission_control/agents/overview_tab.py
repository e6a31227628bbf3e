"""The first tab of an agent's page: what it does now, what it may take, and what its other tabs hold."""

from typing import Any
from uuid import UUID

from mission_control.agents.page_tabs import Tab, Viewed, cards_of
from mission_control.agents.roster import MAX_TASKS
from mission_control.database.sql import as_moment, placeholders, rows
from mission_control.web.fragments import render_macro

TEMPLATE = "agents/overview.html"


async def render(viewed: Viewed) -> str:
    """The tab."""
    agent = viewed.agent
    tags = await tags_named(agent.organization_id, agent.claim_tags or [])
    work = {"tasks": await tasks_held_by(agent.id), "next_ones": await assigned_next(agent.id)}
    return render_macro(TEMPLATE, "tab", viewed=viewed, tags=tags, cards=await cards_of(viewed), **work)


async def tasks_held_by(agent_id: UUID) -> list[dict[str, Any]]:
    """The tasks that the agent has in progress, with the ends of their leases, then those in review."""
    found = await rows(
        "SELECT t.id, t.number, t.title, t.status, t.board_id, t.in_progress_at, r.lease_expires_at, r.fence"
        " FROM tasks t LEFT JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL"
        " WHERE t.deleted_at IS NULL AND t.archived_at IS NULL AND t.assigned_agent_id = ?"
        " AND t.status IN ('in_progress', 'review')"
        f" ORDER BY CASE t.status WHEN 'in_progress' THEN 0 ELSE 1 END, t.updated_at DESC, t.id LIMIT {MAX_TASKS}",
        agent_id,
    )
    moments = ("in_progress_at", "lease_expires_at")
    return [row | {name: as_moment(row[name]) for name in moments} for row in found]


async def assigned_next(agent_id: UUID) -> int:
    """How many tasks are assigned to the agent that nobody has begun."""
    [row] = await rows(
        "SELECT COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL AND assigned_agent_id = ?"
        " AND status = 'inbox'",
        agent_id,
    )
    return int(row["n"])


async def tags_named(organization_id: UUID, slugs: list[str]) -> list[dict[str, Any]]:
    """Return tags by their slugs; a deleted one has its slug as its name, and no colour."""
    if not slugs:
        return []
    found = await rows(
        f"SELECT slug, name, color FROM tags WHERE organization_id = ? AND slug IN ({placeholders(len(slugs))})",
        organization_id,
        *slugs,
    )
    known = {row["slug"]: row for row in found}
    return [known.get(slug, {"slug": slug, "name": slug, "color": None}) for slug in slugs]


async def tag_choices(organization_id: UUID, chosen: list[str]) -> list[dict[str, Any]]:
    """Return all tags of the organization by name, after chosen ones that were deleted."""
    found = await rows(
        "SELECT slug, name, color FROM tags WHERE organization_id = ? ORDER BY LOWER(name), slug LIMIT 200",
        organization_id,
    )
    known = {row["slug"] for row in found}
    return [one for one in await tags_named(organization_id, chosen) if one["slug"] not in known] + found


TAB = Tab("overview", "Overview", render)
