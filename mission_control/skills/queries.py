"""Queries of skills and packs."""

from typing import Any
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_json, contains, placeholders, rows, wire_moment
from mission_control.gateways.queries import visible_gateway
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
NEWEST = "s.created_at DESC, s.id DESC"
BY_NAME = "LOWER(s.name), s.id"
BY_CATEGORY = f"COALESCE(NULLIF(LOWER(TRIM(s.category)), ''), '~'), {BY_NAME}"


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


async def list_cards(actor: Actor, query: MarketplaceQuery, order: str = NEWEST) -> tuple[list[dict[str, Any]], int]:
    """Return a page of the catalogue, newest first unless asked, and how many skills match the filters."""
    if query.gateway_id is not None:
        await _visible_gateway(actor, query.gateway_id)
    where, values = await _filters(actor, query)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM marketplace_skills s WHERE {where}", *values)
    sql = f"{SKILLS} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
    found = await rows(sql, *values, query.limit or ALL, query.offset)
    asked = await _asked(query.gateway_id, [row["id"] for row in found])
    return [_card(row, asked.get(str(row["id"]))) for row in found], int(total["n"])


async def _visible_gateway(actor: Actor, gateway_id: UUID) -> None:
    try:
        await visible_gateway(actor, gateway_id)
    except NotFound:
        raise NotFound(NO_GATEWAY) from None


async def _asked(gateway_id: UUID | None, skills: list[Any]) -> dict[str, dict[str, Any]]:
    """Return what was asked of a gateway about some skills, and what became of the request."""
    if gateway_id is None or not skills:
        return {}
    found = await rows(
        "SELECT i.skill_id, i.is_wanted, i.created_at, d.state, d.last_error FROM gateway_installed_skills i"
        " LEFT JOIN deliveries d ON d.id = i.delivery_id WHERE i.gateway_id = ?"
        f" AND i.skill_id IN ({placeholders(len(skills))})",
        gateway_id,
        *skills,
    )
    return {str(row["skill_id"]): row for row in found}


async def words_of(organization_id: UUID, column: str) -> list[str]:
    """Return the categories or the risks in a catalogue, in lower case, by alphabet."""
    assert column in ("category", "risk")
    sql = (
        f"SELECT DISTINCT lower(trim({column})) AS word FROM marketplace_skills"
        f" WHERE organization_id = ? AND trim(COALESCE({column}, '')) <> '' ORDER BY 1 LIMIT 200"
    )
    return [row["word"] for row in await rows(sql, organization_id)]


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
        values += [term.lower()] * len(columns)
    return " AND ".join(where), values


def _card(row: dict[str, Any], asked: dict[str, Any] | None) -> dict[str, Any]:
    """Return a row of `SKILLS` as a card, whose `source` is the address."""
    is_wanted = asked is not None and bool(asked["is_wanted"])
    is_pending = asked is not None and asked["state"] not in (None, "sent")
    return {
        **_serialize(row),
        "source": row["source_url"],
        "installed": is_wanted,
        "installed_at": wire_moment(asked["created_at"]) if asked is not None and is_wanted else None,
        "pending": is_pending,
        "last_error": asked["last_error"] if asked is not None and is_pending else None,
    }


def _serialize(row: dict[str, Any]) -> dict[str, Any]:
    moments = {name: wire_moment(row[name]) for name in ("created_at", "updated_at")}
    return {**row, "metadata": as_json(row["metadata"]), **moments}
