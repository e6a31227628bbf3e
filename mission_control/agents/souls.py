"""Souls of agents, the texts that describe how they work, and their earlier versions."""

from typing import Any
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.reactions import NOTICE
from mission_control.commands.unit_of_work import deliver, unit_of_work
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.paging import Paging
from mission_control.database.sql import rows, wire_moment


async def begin_soul(agent: Agent) -> None:
    """Store the first soul of an agent, in the command that creates it."""
    if agent.soul_template:
        await _write_down(agent, unit_of_work().actor, None, None)


async def keep_soul(
    agent: Agent, before: str | None, source_url: str | None = None, reason: str | None = None
) -> tuple[AgentSoul, list[UUID]]:
    """Store the agent's current soul as a version, and notify the agent unless it is the author, by deliveries.

    A text from before versions were stored is kept first, so that it can be restored.
    """
    if before and not await AgentSoul.filter(agent_id=agent.id).exists():
        await AgentSoul.create(agent_id=agent.id, content=before, author_kind="system", created_at=agent.created_at)
    author = unit_of_work().actor
    soul = await _write_down(agent, author, source_url, reason)
    return soul, [_notify(agent, author, soul)] if author.agent_id != agent.id else []


async def _write_down(agent: Agent, author: Actor, source_url: str | None, reason: str | None) -> AgentSoul:
    return await AgentSoul.create(
        agent_id=agent.id,
        content=agent.soul_template or "",
        source_url=source_url,
        reason=reason,
        author_kind=author.kind,
        author_id=author.id,
        author_name=None if author.is_user else author.name,
        created_at=clock.now(),
    )


def _notify(agent: Agent, author: Actor, soul: AgentSoul) -> UUID:
    lines = [f"By: {author.name}"]
    if soul.reason:
        lines.append(f"Reason: {soul.reason}")
    if soul.source_url:
        lines.append(f"Source: {soul.source_url}")
    lines += ["", f"Read it anew: GET /api/v1/agent/boards/{agent.board_id}/agents/{agent.id}/soul"]
    return deliver(NOTICE, agent.scope(), agent_id=agent.id, header="SOUL UPDATED", text="\n".join(lines)).id


async def list_souls(agent: Agent, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """Return the versions of an agent's soul, newest first, and their number."""
    [total] = await rows("SELECT COUNT(*) AS n FROM agent_souls WHERE agent_id = ?", agent.id)
    found = await rows(
        "SELECT s.id, s.content, s.source_url, s.reason, s.author_kind, s.author_id, s.author_name, s.created_at,"
        f" {person_name('u', 'User')} AS user_name FROM agent_souls s"
        " LEFT JOIN users u ON u.id = s.author_id AND s.author_kind = 'user'"
        " WHERE s.agent_id = ? ORDER BY s.created_at DESC, s.id DESC LIMIT ? OFFSET ?",
        agent.id,
        paging.limit,
        paging.offset,
    )
    return [_serialize(row) for row in found], int(total["n"])


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    name = row["user_name"] if row["author_kind"] == "user" else row["author_name"] or "Mission Control"
    return {
        "id": row["id"],
        "content": row["content"],
        "source_url": row["source_url"],
        "reason": row["reason"],
        "author": {"kind": row["author_kind"], "id": row["author_id"], "name": name},
        "created_at": wire_moment(row["created_at"]),
    }
