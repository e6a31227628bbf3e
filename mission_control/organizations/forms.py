"""What people type about organizations, members and invitations."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, StringConstraints

from mission_control.accounts.entrance import Email, Line, zone
from mission_control.accounts.queries import NewPassword
from mission_control.organizations.access import Reach
from mission_control.organizations.models import Organization
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm

Role = Literal["member", "admin", "owner"]
TYPE_THE_NAME = "Type the name exactly as it is written above."


class InviteForm(Form):
    """Somebody to invite; each board is `<id>:read` or `<id>:write`."""

    email: Email
    role: Role = "member"
    reach: Reach = "chosen"
    boards: list[str] = []

    def body(self, found: Organization) -> Fields:
        wanted = [one.partition(":") for one in self.boards] if self.reach == "chosen" else []
        return {
            "invited_email": self.email,
            "role": self.role,
            "all_boards_read": self.reach != "chosen",
            "all_boards_write": self.reach == "all_write",
            "board_access": [
                {"board_id": board, "can_write": access == "write"}
                for board, _, access in wanted
                if access in ("read", "write")
            ],
        }


class RoleForm(Form):
    """Another role for a member."""

    role: Role


class NameForm(VersionedForm):
    """A name for an organization."""

    name: Line


class NewOrganizationForm(Form):
    """A new organization."""

    name: Line


class DeleteOrganizationForm(Form):
    """The name, typed, of an organization that is to be deleted."""

    typed: Annotated[str, StringConstraints(strip_whitespace=True, max_length=400)] = ""

    def body(self, found: Organization) -> None:
        if self.typed != found.name:
            raise FormInvalid(self.model_dump(), {"typed": TYPE_THE_NAME})


class AcceptForm(Form):
    """The secret of an invitation."""

    token: Annotated[str, StringConstraints(max_length=200)]


class JoinForm(BaseModel):
    """An account for the person whom an invitation names."""

    name: Line
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None
