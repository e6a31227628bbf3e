"""Shapes of skills and packs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AnyUrl, BaseModel, Field, UrlConstraints
from pydantic.aliases import AliasChoices

from mission_control.core.schemas import NonEmptyStr

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


class MarketplaceSkillCreate(BaseModel):
    """A skill to add to the catalogue."""

    source_url: WebUrl
    name: NonEmptyStr | None = None
    description: str | None = None


class MarketplaceSkillRead(BaseModel):
    """A skill of the catalogue."""

    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    category: str | None
    risk: str | None
    source: str | None
    source_url: str
    metadata: dict[str, Any]
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


class SkillOnGateway(BaseModel):
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


class InstallQuery(BaseModel):
    """The gateway whose main agent is asked."""

    gateway_id: UUID


class MarketplaceSkillActionResponse(BaseModel):
    """What was asked of a gateway's main agent."""

    ok: bool = True
    skill_id: UUID
    gateway_id: UUID
    installed: bool
    delivery_ids: list[UUID] = Field(default_factory=list)


class MarketplaceQuery(BaseModel):
    """Filters of the catalogue. Without a gateway no skill counts as installed."""

    gateway_id: UUID | None = None
    search: str | None = Field(None, max_length=200, description="A text in the first 20,000 characters of a field")
    category: str | None = None
    risk: str | None = None
    pack_id: UUID | None = None
    limit: int | None = Field(None, ge=1, le=200)
    offset: int = Field(0, ge=0, lt=2**63)


class SkillPackCreate(BaseModel):
    """A pack to create, or the new fields of an existing one."""

    source_url: AnyAddress
    name: NonEmptyStr | None = None
    description: str | None = None
    branch: str = "main"
    metadata: dict[str, Any] = Field(
        default_factory=dict, validation_alias=AliasChoices("metadata", "metadata_"), serialization_alias="metadata"
    )


class SkillPackRead(BaseModel):
    """A pack, and how many of its skills are in the catalogue."""

    id: UUID
    organization_id: UUID
    name: str
    description: str | None
    source_url: str
    branch: str
    metadata: dict[str, Any]
    skill_count: int
    created_at: datetime
    updated_at: datetime


class SyncQuery(BaseModel):
    """How to sync a pack. `prune` also deletes skills that the pack no longer holds."""

    prune: bool = False


class SkillPackSyncResponse(BaseModel):
    """The result of a sync. `synced` is how many skills the pack holds."""

    ok: bool = True
    pack_id: UUID
    synced: int
    created: int
    updated: int
    pruned: int
    warnings: list[str]
