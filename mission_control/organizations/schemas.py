"""Shapes of organizations, members and invitations."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from mission_control.core.schemas import Body, NotNull, example
from mission_control.organizations.levels import Access, Reach
from mission_control.organizations.models import Invite, Organization
from mission_control.organizations.policy import ROLES
from mission_control.organizations.work_state import State


def _role(text: str | None) -> str | None:
    role = None if text is None else text.strip().lower() or "member"
    if role is not None and role not in ROLES:
        raise ValueError("a role is owner, admin or member")
    return role


class OrganizationCreate(BaseModel):
    """An organization to be made."""

    name: str


class OrganizationUpdate(Body):
    """What to change on an organization; absent leaves."""

    name: Annotated[str | None, NotNull] = None


class OrganizationActiveUpdate(BaseModel):
    """Which organization to work in from now on."""

    organization_id: UUID


class OrganizationOwnershipUpdate(Body):
    """Who is to own the organization instead of the caller."""

    member_id: UUID


class OrganizationRead(BaseModel):
    """An organization."""

    id: UUID
    name: str
    work_state: State
    work_state_reason: str | None
    work_state_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationRead":
        """The answer for an organization."""
        return cls.model_construct(**{name: getattr(organization, name) for name in cls.model_fields})


class OrganizationListItem(BaseModel):
    """An organization, as the caller belongs to it."""

    id: UUID
    name: str
    role: str
    is_active: bool


class OrganizationUserRead(BaseModel):
    """The person behind a membership."""

    id: UUID
    email: str | None = None
    name: str | None = None
    preferred_name: str | None = None


class OrganizationBoardAccessRead(BaseModel):
    """What a member may do on one board."""

    id: UUID
    board_id: UUID
    can_read: bool
    can_write: bool
    created_at: datetime
    updated_at: datetime


class OrganizationBoardAccessSpec(BaseModel):
    """What a member is to be allowed on one board."""

    board_id: UUID
    can_read: bool = True
    can_write: bool = False


class OrganizationMemberRead(BaseModel):
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


class OrganizationMemberUpdate(BaseModel):
    """What to change about a member; absent leaves."""

    model_config = example(role="admin")

    role: Annotated[str | None, AfterValidator(_role), NotNull] = None


def _each_board_once(specs: list[OrganizationBoardAccessSpec]) -> list[OrganizationBoardAccessSpec]:
    if len({spec.board_id for spec in specs}) != len(specs):
        raise ValueError("a board may be named only once")
    return specs


class OrganizationMemberAccessUpdate(BaseModel):
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


class OrganizationInviteAccept(BaseModel):
    """The secret of an invitation."""

    token: str


class InvitationMail(BaseModel):
    """How the last mail of an invitation went: `failed` once it was given up, with the reason."""

    state: Literal["waiting", "sending", "sent", "failed"]
    attempts: int
    error: str | None
    sent_at: datetime | None


class OrganizationInviteRead(BaseModel):
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

    @classmethod
    def of(cls, invite: Invite, token: str, mail: InvitationMail | None = None) -> "OrganizationInviteRead":
        """The answer for an invitation."""
        names = [name for name in cls.model_fields if name not in ("token", "mail")]
        values: dict[str, Any] = {name: getattr(invite, name) for name in names}
        return cls.model_construct(**values, token=token, mail=mail)
