"""Queries of skills and packs."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_json, containing, contains, rows, wire_moment
from mission_control.skills.models import Skill, SkillPack
from mission_control.skills.schemas import MarketplaceQuery

NO_PACK = "There is no such skill pack."
NO_SKILL = "There is no such skill in the catalogue."
NO_GATEWAY = "There is no such gateway."
ALL = 2**31
# The repository itself or something in it. Not LIKE: an underscore in a name would match anything.
OF_PACK = (
    "(s.source_url = p.source_url"
    " OR substr(s.source_url, 1, length(p.source_url) + 6) = CAST(p.source_url AS TEXT) || '/tree/')"
)
PACKS = (
    "SELECT p.id, p.organization_id, p.name, p.description, p.source_url, p.branch, p.metadata, p.created_at,"
    " p.updated_at, (SELECT COUNT(*) FROM marketplace_skills s WHERE s.organization_id = p.organization_id AND "
    f"{OF_PACK}) AS skill_count FROM skill_packs p"
)
SKILLS = (
    "SELECT s.id, s.organization_id, s.name, s.description, s.category, s.risk, s.source, s.source_url, s.metadata,"
    " s.created_at, s.updated_at FROM marketplace_skills s"
)
UNCATEGORIZED = "uncategorized"


async def visible_pack(actor: Actor, pack_id: UUID) -> SkillPack:
    """Return a pack of the active organization. Raises NotFound for others."""
    pack = await SkillPack.get_or_none(id=pack_id, organization_id=actor.organization_id)
    if pack is None:
        raise NotFound(NO_PACK)
    return pack


async def visible_skill(actor: Actor, skill_id: UUID) -> Skill:
    """Return a skill of the active organization's catalogue. Raises NotFound for others."""
    skill = await Skill.get_or_none(id=skill_id, organization_id=actor.organization_id)
    if skill is None:
        raise NotFound(NO_SKILL)
    return skill


async def list_packs(organization_id: UUID) -> list[dict[str, Any]]:
    """Return all packs of an organization, newest first."""
    sql = f"{PACKS} WHERE p.organization_id = ? ORDER BY p.created_at DESC, p.id DESC"
    return [_serialize(row) for row in await rows(sql, organization_id)]


async def pack_read(pack_id: UUID) -> dict[str, Any]:
    """Return one pack as it is sent."""
    found = await rows(f"{PACKS} WHERE p.id = ?", pack_id)
    if not found:
        raise NotFound(NO_PACK)
    return _serialize(found[0])


async def skill_read(skill_id: UUID) -> dict[str, Any]:
    """Return one skill as it is sent."""
    found = await rows(f"{SKILLS} WHERE s.id = ?", skill_id)
    if not found:
        raise NotFound(NO_SKILL)
    return _serialize(found[0])


async def list_cards(actor: Actor, query: MarketplaceQuery) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the catalogue, newest first, and how many skills match the filters."""
    if query.gateway_id is not None:
        raise NotFound(NO_GATEWAY)
    where, values = await _filters(actor, query)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM marketplace_skills s WHERE {where}", *values)
    sql = f"{SKILLS} WHERE {where} ORDER BY s.created_at DESC, s.id DESC LIMIT ? OFFSET ?"
    found = await rows(sql, *values, query.limit or ALL, query.offset)
    return [_card(row) for row in found], int(total["n"])


async def _filters(actor: Actor, query: MarketplaceQuery) -> tuple[str, list[Any]]:
    where = ["s.organization_id = ?"]
    values: list[Any] = [actor.organization_id]
    if query.pack_id is not None:
        pack = await visible_pack(actor, query.pack_id)
        where.append(f"EXISTS (SELECT 1 FROM skill_packs p WHERE p.id = ? AND {OF_PACK})")
        values.append(pack.id)
    for column in ("category", "risk"):
        wanted = (getattr(query, column) or "").strip().lower()
        if wanted == UNCATEGORIZED:
            where.append(f"trim(COALESCE(s.{column}, '')) = ''")
        elif wanted:
            where.append(f"lower(trim(s.{column})) = ?")
            values.append(wanted)
    if term := (query.search or "").strip():
        columns = ("name", "description", "category", "risk", "source")
        where.append(f"({' OR '.join(contains(f's.{name}') for name in columns)})")
        values += [containing(term)] * len(columns)
    return " AND ".join(where), values


def _card(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `SKILLS` as a card, whose `source` is the address."""
    return {**_serialize(row), "source": row["source_url"], "installed": False, "installed_at": None}


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    moments = {name: wire_moment(row[name]) for name in ("created_at", "updated_at")}
    return {**row, "metadata": as_json(row["metadata"]), **moments}
