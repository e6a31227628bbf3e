"""Organizations, who belongs to them, and which boards a member reaches."""

from typing import Self
from uuid import UUID

from tortoise import fields

from mission_control.core.ids import new_id
from mission_control.core.scope import Scope
from mission_control.database.fields import Changing, UtcDatetimeField, nullable, reference
from mission_control.live.log import GENESIS, sign


class Organization(Changing):
    """Everything that belongs together: boards, agents, members, and one event log."""

    name = fields.TextField()
    is_demo = fields.BooleanField(default=False)
    log_seq = fields.BigIntField(default=0)
    log_hash = fields.CharField(max_length=64, default=GENESIS)
    log_signature = fields.CharField(max_length=96, default="")
    delivery_seq = fields.BigIntField(default=0)
    work_state = fields.CharField(max_length=16, default="running")
    work_state_reason = nullable(fields.TextField)
    work_state_at = UtcDatetimeField(null=True)

    class Meta:
        table = "organizations"

    @classmethod
    async def found(cls, name: str, *, is_demo: bool = False) -> Self:
        """Insert an organization with an empty log whose head is signed."""
        id = new_id()
        return await cls.create(id=id, name=name, is_demo=is_demo, log_signature=sign(str(id), 0, GENESIS))

    def scope(self) -> Scope:
        """Where an event about this organization belongs."""
        return Scope(organization_id=self.id, subject_id=self.id)


class Member(Changing):
    """A person's place in an organization: owner, admin or member."""

    organization = reference("Organization")
    user = reference("User")
    role = fields.CharField(max_length=16, default="member")
    all_boards_read = fields.BooleanField(default=False)
    all_boards_write = fields.BooleanField(default=False)

    organization_id: UUID
    user_id: UUID

    class Meta:
        table = "organization_members"
        unique_together = (("organization", "user"),)

    def scope(self) -> Scope:
        """Where an event about this membership belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class BoardAccess(Changing):
    """What a member without an all-boards flag may do on one board."""

    organization_member = reference("Member")
    board = reference("Board")
    can_read = fields.BooleanField(default=True)
    can_write = fields.BooleanField(default=False)

    organization_member_id: UUID
    board_id: UUID

    class Meta:
        table = "organization_board_access"
        unique_together = (("organization_member", "board"),)


class Invite(Changing):
    """An invitation; its token is stored as a fingerprint and shown once."""

    organization = reference("Organization")
    invited_email = fields.CharField(max_length=320, db_index=True)
    fingerprint = fields.CharField(max_length=64, unique=True)
    encrypted_token = nullable(fields.TextField)  # until it is used
    role = fields.CharField(max_length=16, default="member")
    all_boards_read = fields.BooleanField(default=False)
    all_boards_write = fields.BooleanField(default=False)
    created_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    accepted_by_user = reference("User", null=True, on_delete=fields.SET_NULL)
    accepted_at = UtcDatetimeField(null=True)
    mail_delivery_id = nullable(fields.UUIDField)
    expires_at = UtcDatetimeField()

    organization_id: UUID
    created_by_user_id: UUID | None
    accepted_by_user_id: UUID | None

    class Meta:
        table = "organization_invites"

    def scope(self) -> Scope:
        """Where an event about this invitation belongs."""
        return Scope(organization_id=self.organization_id, subject_id=self.id)


class InviteBoardAccess(Changing):
    """What an invited member will be able to do on one board."""

    organization_invite = reference("Invite")
    board = reference("Board")
    can_read = fields.BooleanField(default=True)
    can_write = fields.BooleanField(default=False)

    organization_invite_id: UUID
    board_id: UUID

    class Meta:
        table = "organization_invite_board_access"
        unique_together = (("organization_invite", "board"),)
