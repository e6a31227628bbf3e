"""Where skills are installed: what was asked of gateways, and what became of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mission_control.database.sql import as_moment, placeholders, rows
from mission_control.skills.models import Skill
from mission_control.skills.queries import skill_read
from mission_control.skills.schemas import SkillOnGateway

ASKED = (
    "SELECT i.skill_id, i.gateway_id, g.name, i.is_wanted, i.created_at, d.state, d.last_error"
    " FROM gateway_installed_skills i JOIN gateways g ON g.id = i.gateway_id"
    " LEFT JOIN deliveries d ON d.id = i.delivery_id"
)


async def gateways_of(skill_ids: Sequence[Any]) -> dict[UUID, list[SkillOnGateway]]:
    """Return the gateways that were asked about some skills, by skill and by name."""
    if not skill_ids:
        return {}
    found: dict[UUID, list[SkillOnGateway]] = {}
    where = f"i.skill_id IN ({placeholders(len(skill_ids))})"
    for row in await rows(f"{ASKED} WHERE {where} ORDER BY LOWER(g.name), g.id", *skill_ids):
        is_wanted, is_pending = bool(row["is_wanted"]), row["state"] not in (None, "sent")
        one = SkillOnGateway(
            gateway_id=row["gateway_id"],
            gateway_name=row["name"],
            installed=is_wanted,
            installed_at=as_moment(row["created_at"]) if is_wanted else None,
            pending=is_pending,
            last_error=row["last_error"] if is_pending else None,
        )
        found.setdefault(UUID(str(row["skill_id"])), []).append(one)
    return found


async def skill_detail(skill: Skill) -> dict[str, Any]:
    """Return a skill with its text and its gateways, as it is sent."""
    gateways = (await gateways_of([skill.id])).get(skill.id, [])
    return {**await skill_read(skill.id), "content": skill.content, "gateways": gateways}
