"""What people type about organizations, members and invitations."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints

from mission_control.accounts.forms import Email, Line, zone
from mission_control.accounts.queries import NewPassword
from mission_control.organizations.access import Access, Reach
from mission_control.organizations.models import Member, Organization
from mission_control.organizations.queries import (
    MemberBoardUpdate,
    MemberReachUpdate,
    OrganizationActiveUpdate,
    OrganizationBoardAccessSpec,
    OrganizationCreate,
    OrganizationInviteAccept,
    OrganizationInviteCreate,
    OrganizationMemberUpdate,
    OrganizationOwnershipUpdate,
    OrganizationUpdate,
)
from mission_control.web.actions import Form, VersionedForm
from mission_control.web.forms import FormInvalid

Role = Literal["member", "admin", "owner"]
TYPE_THE_NAME = "Type the name exactly as it is written above."


class InviteForm(Form):
    """Somebody to invite; each board is `<id>:read` or `<id>:write`."""

    email: Email
    role: Role = "member"
    reach: Reach = "chosen"
    boards: list[str] = []

    def body(self, found: Organization) -> OrganizationInviteCreate:
        """Return the invitation."""
        wanted = [one.partition(":") for one in self.boards] if self.reach == "chosen" else []
        return OrganizationInviteCreate(
            invited_email=self.email,
            role=self.role,
            all_boards_read=self.reach != "chosen",
            all_boards_write=self.reach == "all_write",
            board_access=[
                OrganizationBoardAccessSpec.model_validate({"board_id": board, "can_write": access == "write"})
                for board, _, access in wanted
                if access in ("read", "write")
            ],
        )


class RoleForm(Form):
    """Another role for a member."""

    role: Role

    def body(self, found: Member) -> OrganizationMemberUpdate:
        """Return the change."""
        return OrganizationMemberUpdate(role=self.role)


class ReachForm(Form):
    """Which boards a member reaches."""

    reach: Reach

    def body(self, found: Member) -> MemberReachUpdate:
        """Return the change."""
        return MemberReachUpdate(reach=self.reach)


class BoardForm(Form):
    """What a member may do on one board."""

    access: Access

    def body(self, found: object) -> MemberBoardUpdate:
        """Return the change."""
        return MemberBoardUpdate(access=self.access)


class NameForm(VersionedForm):
    """A name for an organization."""

    name: Line

    def body(self, found: Organization) -> OrganizationUpdate:
        """Return the change."""
        return OrganizationUpdate(name=self.name)


class NewOrganizationForm(Form):
    """A new organization."""

    name: Line

    def body(self, found: None) -> OrganizationCreate:
        """Return the organization to make."""
        return OrganizationCreate(name=self.name)


class SwitchForm(Form):
    """Which organization to work in."""

    organization_id: UUID

    def body(self, found: None) -> OrganizationActiveUpdate:
        """Return the change."""
        return OrganizationActiveUpdate(organization_id=self.organization_id)


class HandOverForm(Form):
    """Who owns the organization instead."""

    member_id: UUID

    def body(self, found: Organization) -> OrganizationOwnershipUpdate:
        """Return the change."""
        return OrganizationOwnershipUpdate(member_id=self.member_id)


class DeleteOrganizationForm(Form):
    """The name, typed, of an organization that is to be deleted."""

    typed: Annotated[str, StringConstraints(strip_whitespace=True, max_length=400)] = ""

    def body(self, found: Organization) -> None:
        """Refuse another name."""
        if self.typed != found.name:
            raise FormInvalid(self.model_dump(), {"typed": TYPE_THE_NAME})


class AcceptForm(Form):
    """The secret of an invitation."""

    token: Annotated[str, StringConstraints(max_length=200)]

    def body(self, found: None) -> OrganizationInviteAccept:
        """Return the acceptance."""
        return OrganizationInviteAccept(token=self.token)


class JoinForm(BaseModel):
    """An account for the person whom an invitation names."""

    name: Line
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None
