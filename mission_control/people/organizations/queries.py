"""Read organizations, members and invitations, and their shapes."""

from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound, existing
from mission_control.core.values import Body, FromRow, NotNull, Paging, Schema, example
from mission_control.database.sql import Row, rows
from mission_control.http.registry import lookup
from mission_control.people.models import Invite, Member, Organization
from mission_control.people.organizations.access import ROLES, Access, OrganizationBoardAccessSpec, Reach, live_access
from mission_control.people.organizations.work_state import State


def _role(text: str | None) -> str | None:
    role = None if text is None else text.strip().lower() or "member"
    if role is not None and role not in ROLES:
        raise ValueError("a role is owner, admin or member")
    return role


class OrganizationCreate(Schema):
    """An organization to be made."""

    name: str


class OrganizationUpdate(Body):
    """What to change on an organization; absent leaves."""

    name: Annotated[str | None, NotNull] = None


class OrganizationActiveUpdate(Schema):
    """Which organization to work in from now on."""

    organization_id: UUID


class OrganizationOwnershipUpdate(Body):
    """Who is to own the organization instead of the caller."""

    member_id: UUID


class OrganizationRead(FromRow):
    """An organization."""

    id: UUID
    name: str
    work_state: State
    work_state_reason: str | None
    work_state_at: datetime | None
    created_at: datetime
    updated_at: datetime


class OrganizationListItem(Schema):
    """An organization, as the caller belongs to it."""

    id: UUID
    name: str
    role: str
    is_active: bool


class OrganizationUserRead(Schema):
    """The person behind a membership."""

    id: UUID
    email: str | None = None
    name: str | None = None
    preferred_name: str | None = None


class OrganizationBoardAccessRead(Schema):
    """What a member may do on one board."""

    id: UUID
    board_id: UUID
    can_read: bool
    can_write: bool
    created_at: datetime
    updated_at: datetime


class OrganizationMemberRead(Schema):
    """A person's place in an organization."""

    id: UUID
    organization_id: UUID
    user_id: UUID
    role: str
    all_boards_read: bool
    all_boards_write: bool
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime | None = None
    user: OrganizationUserRead | None = None
    board_access: list[OrganizationBoardAccessRead] = []


class OrganizationMemberUpdate(Schema):
    """What to change about a member; absent leaves."""

    model_config = example(role="admin")

    role: Annotated[str | None, AfterValidator(_role), NotNull] = None


def _each_board_once(specs: list[OrganizationBoardAccessSpec]) -> list[OrganizationBoardAccessSpec]:
    if len({spec.board_id for spec in specs}) != len(specs):
        raise ValueError("a board may be named only once")
    return specs


class OrganizationMemberAccessUpdate(Schema):
    """Everything a member may reach; it replaces what was so."""

    all_boards_read: bool = False
    all_boards_write: bool = False
    board_access: Annotated[
        list[OrganizationBoardAccessSpec], Field(max_length=1000), AfterValidator(_each_board_once)
    ] = []


class MemberBoardUpdate(Body):
    """What a member is to be allowed on one board."""

    access: Access


class MemberReachUpdate(Body):
    """Which boards a member is to reach: all of them, also those to come, or chosen ones."""

    reach: Reach


class OrganizationInviteCreate(OrganizationMemberAccessUpdate):
    """Whom to invite, and what they will reach."""

    model_config = example(invited_email="ben@example.org", role="member", all_boards_read=True)

    invited_email: str = Field(max_length=320)
    role: Annotated[str, AfterValidator(_role)] = "member"


class OrganizationInviteAccept(Schema):
    """The secret of an invitation."""

    token: str


class InvitationMail(Schema):
    """How the last mail of an invitation went: `failed` once it was given up, with the reason."""

    state: Literal["waiting", "sending", "sent", "failed"]
    attempts: int
    error: str | None
    sent_at: datetime | None


class OrganizationInviteRead(FromRow):
    """An invitation. The token is there as long as it can be accepted."""

    id: UUID
    organization_id: UUID
    invited_email: str
    role: str
    all_boards_read: bool
    all_boards_write: bool
    token: str
    created_by_user_id: UUID | None = None
    accepted_by_user_id: UUID | None = None
    accepted_at: datetime | None = None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    mail: InvitationMail | None = None


MEMBERS = (
    "SELECT m.id, m.organization_id, m.user_id, m.role, m.all_boards_read, m.all_boards_write, m.created_at,"
    " m.updated_at, u.email, u.name, u.preferred_name,"
    " (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS session_seen_at,"
    " (SELECT MAX(t.last_used_at) FROM tokens t WHERE t.user_id = u.id) AS token_used_at"
    " FROM organization_members m JOIN users u ON u.id = m.user_id"
)


@lookup
async def active_organization(actor: Actor) -> Organization:
    """The organization the person works in."""
    return await existing(Organization.get_or_none(id=actor.organization_id))


@lookup
async def visible_member(actor: Actor, member_id: UUID) -> Member:
    """A member of the active organization; NotFound otherwise."""
    return await existing(Member.get_or_none(id=member_id, organization_id=actor.organization_id))


@lookup
async def visible_invite(actor: Actor, invite_id: UUID) -> Invite:
    """An invitation of the active organization; NotFound otherwise."""
    return await existing(Invite.get_or_none(id=invite_id, organization_id=actor.organization_id))


async def member_read(actor: Actor, member_id: UUID) -> OrganizationMemberRead:
    """The answer for one member, with the boards they reach; owners and admins see when they were there last."""
    members = await rows(f"{MEMBERS} WHERE m.id = ?", member_id)
    if not members:
        raise NotFound()
    [member] = await _members(actor, members, [member_id])
    return member


async def list_members(actor: Actor, paging: Paging) -> tuple[list[OrganizationMemberRead], int]:
    """The members of the active organization by address; others' boards are shown to owners and admins only."""
    listed = await rows(
        f"{MEMBERS} WHERE m.organization_id = ? ORDER BY LOWER(u.email) NULLS LAST, u.name NULLS LAST, m.id"
        " LIMIT ? OFFSET ?",
        actor.organization_id,
        paging.limit,
        paging.offset,
    )
    is_admin, mine = actor.administers(actor.organization_id), actor.memberships[actor.organization_id]
    members = await _members(actor, listed, [row["id"] for row in listed] if is_admin else [mine.id])
    return members, await Member.filter(organization_id=actor.organization_id).count()


async def _members(actor: Actor, found: list[Row], with_boards: list[UUID]) -> list[OrganizationMemberRead]:
    members = [
        OrganizationMemberRead(
            **row,
            last_seen_at=max(filter(None, (row["session_seen_at"], row["token_used_at"])), default=None),
            user=OrganizationUserRead(**row | {"id": row["user_id"]}),
        )
        for row in found
    ]
    boards: dict[UUID, list[OrganizationBoardAccessRead]] = {}
    for access in await live_access(with_boards):
        read = OrganizationBoardAccessRead.model_validate(access, from_attributes=True)
        boards.setdefault(access.organization_member_id, []).append(read)
    for member in members:
        member.board_access = boards.get(member.id, [])
        if not actor.administers(actor.organization_id) and member.user_id != actor.id:
            member.last_seen_at = None
    return members


@dataclass(frozen=True, slots=True)
class Left:
    """The agents of a gateway by their ids there: those that were made for this installation, and those only linked."""

    gateway_id: str
    name: str
    made: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)

    @property
    def commands(self) -> str:
        """What its operator runs on its host to remove what was made for this installation, and nothing else."""
        return "\n".join(f"openclaw agents delete {quote(agent_id)} --force" for agent_id in self.made)


async def left_on_gateways(organization_id: UUID, gateway_id: UUID | None = None) -> list[Left]:
    """Return what stays on the gateways of an organization, or on one of them; gateways without agents are left out."""
    only = "" if gateway_id is None else " AND g.id = ?"
    gateways = await rows(
        "SELECT g.id, g.name, a.gateway_agent_id, a.is_adopted FROM agents a JOIN gateways g ON g.id = a.gateway_id"
        f" WHERE g.organization_id = ?{only} AND a.gateway_agent_id IS NOT NULL"
        " AND (a.board_id IS NOT NULL OR a.workspace_token IS NOT NULL) ORDER BY g.name, g.id,"
        " a.gateway_agent_id",
        organization_id,
        *([] if gateway_id is None else [gateway_id]),
    )
    left: dict[str, Left] = {}
    for row in gateways:
        gateway = left.setdefault(str(row["id"]), Left(str(row["id"]), row["name"]))
        (gateway.linked if row["is_adopted"] else gateway.made).append(row["gateway_agent_id"])
    return list(left.values())
