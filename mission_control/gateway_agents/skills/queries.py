"""Read skills, packs and where skills are installed: who may, shapes, statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AnyUrl, Field, UrlConstraints
from pydantic.aliases import AliasChoices

from mission_control.core.actor import Actor, rule
from mission_control.core.errors import NotFound
from mission_control.core.values import JsonObject, NonEmptyStr, Schema
from mission_control.database.sql import Row, as_json, as_moment, contains, placeholders, rows, wire_moment
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateway
from mission_control.http.registry import lookup

LONGEST_URL = 2000


def _fits(url: AnyUrl) -> AnyUrl:
    """Check the length of an address as it is stored: with its last slash and everything escaped."""
    if len(str(url)) > LONGEST_URL:
        raise ValueError(f"an address has at most {LONGEST_URL} characters once it is escaped")
    return url


WebUrl = Annotated[
    AnyUrl, UrlConstraints(max_length=LONGEST_URL, allowed_schemes=["http", "https"]), AfterValidator(_fits)
]
AnyAddress = Annotated[AnyUrl, UrlConstraints(max_length=LONGEST_URL), AfterValidator(_fits)]


class MarketplaceSkillCreate(Schema):
    """A skill to add to the catalogue."""

    source_url: WebUrl
    name: NonEmptyStr | None = None
    description: str | None = None


class MarketplaceSkillRead(Schema):
    """A skill of the catalogue."""

    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    category: str | None
    risk: str | None
    source: str | None
    source_url: str
    metadata: JsonObject
    created_at: datetime
    updated_at: datetime


class MarketplaceSkillCardRead(MarketplaceSkillRead):
    """A skill of the catalogue, and whether a gateway has it: `installed` is what was asked for last.

    `pending` until the gateway's main agent has got the request; `last_error` says why it has not.
    """

    installed: bool
    installed_at: datetime | None
    pending: bool = False
    last_error: str | None = None


class SkillOnGateway(Schema):
    """What was asked of a gateway about a skill, and whether its main agent has got that."""

    gateway_id: UUID
    gateway_name: str
    installed: bool
    installed_at: datetime | None
    pending: bool
    last_error: str | None


class MarketplaceSkillDetail(MarketplaceSkillRead):
    """A skill with its text, as its pack had it at the last sync, and the gateways that were asked about it."""

    content: str | None
    gateways: list[SkillOnGateway]


class InstallQuery(Schema):
    """The gateway whose main agent is asked."""

    gateway_id: UUID


class MarketplaceSkillActionResponse(Schema):
    """What was asked of a gateway's main agent."""

    ok: bool = True
    skill_id: UUID
    gateway_id: UUID
    installed: bool
    delivery_ids: list[UUID] = Field(default_factory=list)


class MarketplaceQuery(Schema):
    """Filters of the catalogue. Without a gateway no skill counts as installed."""

    gateway_id: UUID | None = None
    search: str | None = Field(None, max_length=200, description="A text in the first 20,000 characters of a field")
    category: str | None = None
    risk: str | None = None
    pack_id: UUID | None = None
    limit: int | None = Field(None, ge=1, le=200)
    offset: int = Field(0, ge=0, lt=2**63)


class SkillPackCreate(Schema):
    """A pack to create, or the new fields of an existing one."""

    source_url: AnyAddress
    name: NonEmptyStr | None = None
    description: str | None = None
    branch: str = "main"
    metadata: JsonObject = Field(
        default_factory=dict, validation_alias=AliasChoices("metadata", "metadata_"), serialization_alias="metadata"
    )


class SkillPackRead(Schema):
    """A pack, and how many of its skills are in the catalogue."""

    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    source_url: str
    branch: str
    metadata: JsonObject
    skill_count: int
    created_at: datetime
    updated_at: datetime


class SyncQuery(Schema):
    """How to sync a pack. `prune` also deletes skills that the pack no longer holds."""

    prune: bool = False


class SkillPackSyncResponse(Schema):
    """The result of a sync. `synced` is how many skills the pack holds."""

    ok: bool = True
    pack_id: UUID
    synced: int
    created: int
    updated: int
    pruned: int
    warnings: list[str]


NO_PACK = "There is no such skill pack."
NO_SKILL = "There is no such skill in the catalogue."
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


@lookup
async def visible_pack(actor: Actor, pack_id: UUID) -> SkillPack:
    return _existing(await SkillPack.get_or_none(id=pack_id, organization_id=actor.organization_id), NO_PACK)


@lookup
async def visible_skill(actor: Actor, skill_id: UUID) -> Skill:
    return _existing(await Skill.get_or_none(id=skill_id, organization_id=actor.organization_id), NO_SKILL)


def _existing[T](thing: T | None, otherwise: str) -> T:
    if thing is None:
        raise NotFound(otherwise)
    return thing


async def gateway_for_skills(actor: Actor, gateway_id: UUID) -> Gateway:
    try:
        return await visible_gateway(actor, gateway_id)
    except NotFound:
        raise NotFound("There is no such gateway.") from None


async def list_packs(organization_id: UUID) -> list[Row]:
    sql = f"{PACKS} WHERE p.organization_id = ? ORDER BY p.created_at DESC, p.id DESC"
    return [_serialize(row) for row in await rows(sql, organization_id)]


async def read_pack(pack_id: UUID) -> Row:
    return _serialize(_existing(next(iter(await rows(f"{PACKS} WHERE p.id = ?", pack_id)), None), NO_PACK))


async def read_skill(skill_id: UUID) -> Row:
    return _serialize(_existing(next(iter(await rows(f"{SKILLS} WHERE s.id = ?", skill_id)), None), NO_SKILL))


async def list_cards(actor: Actor, query: MarketplaceQuery, order: str = NEWEST) -> tuple[list[Row], int]:
    on_gateway: dict[UUID, list[SkillOnGateway]] = {}
    if query.gateway_id is not None:
        await gateway_for_skills(actor, query.gateway_id)
    where, values = await _filters(actor, query)
    [total] = await rows(f"SELECT COUNT(*) AS n FROM marketplace_skills s WHERE {where}", *values)
    sql = f"{SKILLS} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
    skills = await rows(sql, *values, query.limit or ALL, query.offset)
    if query.gateway_id is not None:
        on_gateway = await gateways_of([skill["id"] for skill in skills], query.gateway_id)
    nothing = {"installed": False, "installed_at": None, "pending": False, "last_error": None}
    cards = [{**_serialize(skill), "source": skill["source_url"], **nothing} for skill in skills]
    for card in cards:
        for gateway in on_gateway.get(UUID(str(card["id"])), []):
            card |= gateway.model_dump(include=set(nothing))
    return cards, int(total["n"])


async def words_of(organization_id: UUID, column: str) -> list[str]:
    assert column in ("category", "risk")
    sql = (
        f"SELECT DISTINCT lower(trim({column})) AS word FROM marketplace_skills"
        f" WHERE organization_id = ? AND trim(COALESCE({column}, '')) <> '' ORDER BY 1 LIMIT 200"
    )
    return [row["word"] for row in await rows(sql, organization_id)]


async def _filters(actor: Actor, query: MarketplaceQuery) -> tuple[str, list[object]]:
    where = ["s.organization_id = ?"]
    values: list[object] = [actor.organization_id]
    if query.pack_id is not None:
        pack = await visible_pack(actor, query.pack_id)
        where.append(f"EXISTS (SELECT 1 FROM skill_packs p WHERE p.id = ? AND {OF_PACK})")
        values.append(pack.id)
    for column in ("category", "risk"):
        word = (getattr(query, column) or "").strip().lower()
        if word == UNCATEGORIZED:
            where.append(f"trim(COALESCE(s.{column}, '')) = ''")
        elif word:
            where.append(f"lower(trim(s.{column})) = ?")
            values.append(word)
    if term := (query.search or "").strip():
        columns = ("name", "description", "category", "risk", "source")
        where.append(f"({' OR '.join(contains(f's.{name}') for name in columns)})")
        values += [term.lower()] * len(columns)
    return " AND ".join(where), values


def _serialize(row: Row) -> Row:
    moments = {name: wire_moment(row[name]) for name in ("created_at", "updated_at")}
    return {**row, "metadata": as_json(row["metadata"]), **moments}


ASKED = (
    "SELECT i.skill_id, i.gateway_id, g.name, i.is_wanted, i.created_at, d.state, d.last_error"
    " FROM gateway_installed_skills i JOIN gateways g ON g.id = i.gateway_id"
    " LEFT JOIN deliveries d ON d.id = i.delivery_id"
)


async def gateways_of(skill_ids: Sequence[object], gateway_id: UUID | None = None) -> dict[UUID, list[SkillOnGateway]]:
    if not skill_ids:
        return {}
    gateways: dict[UUID, list[SkillOnGateway]] = {}
    where, values = f"i.skill_id IN ({placeholders(len(skill_ids))})", list(skill_ids)
    if gateway_id is not None:
        where, values = f"{where} AND i.gateway_id = ?", [*values, gateway_id]
    for row in await rows(f"{ASKED} WHERE {where} ORDER BY LOWER(g.name), g.id", *values):
        is_wanted, is_pending = bool(row["is_wanted"]), row["state"] not in (None, "sent")
        gateway = SkillOnGateway(
            gateway_id=row["gateway_id"], gateway_name=row["name"],
            installed=is_wanted, installed_at=as_moment(row["created_at"]) if is_wanted else None,
            pending=is_pending, last_error=row["last_error"] if is_pending else None,
        )  # fmt: skip
        gateways.setdefault(UUID(str(row["skill_id"])), []).append(gateway)
    return gateways


async def skill_detail(skill: Skill) -> Row:
    gateways = (await gateways_of([skill.id])).get(skill.id, [])
    return {**await read_skill(skill.id), "content": skill.content, "gateways": gateways}


@rule("skill.read", "skill.create", "skill.install", "skill_pack.read", "skill_pack.create")
def may_manage_skills(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization."""
    return actor.is_user and actor.administers(actor.organization_id)


@rule("skill.delete", "skill_pack.update", "skill_pack.delete", "skill_pack.sync")
def may_change(actor: Actor, thing: Skill | SkillPack) -> bool:
    """Owners and admins of its organization."""
    return actor.is_user and actor.administers(thing.organization_id)
