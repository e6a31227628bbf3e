"""What the forms of groups send."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.agents.forms import PACES as AGENT_PACES
from mission_control.core.schemas import NonEmptyStr, OptionalText
from mission_control.groups.models import BoardGroup
from mission_control.web.forms import Fields, Form, FormInvalid, TypedName, VersionedForm

Name = Annotated[NonEmptyStr, Field(max_length=200)]
LABELS = {"name": "Name", "description": "Description", "board_ids": "Boards", "number": "Every", "unit": "Unit"}
# How often agents are looked after, as people choose it.
PACES = (*AGENT_PACES, ("other", "Another interval"))
UNITS = (("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("d", "days"))


class NewGroupForm(Form):
    """A new group."""

    name: Name
    description: OptionalText = Field(None, max_length=10_000)
    board_ids: list[UUID] = Field(default_factory=list, max_length=200)

    def body(self, found: BoardGroup | None) -> Fields:
        return self.model_dump() | {"slug": ""}


class GroupForm(VersionedForm):
    """The fields and the boards of a group."""

    name: Name
    description: OptionalText = Field(None, max_length=10_000)
    board_ids: list[UUID] = Field(default_factory=list, max_length=200)

    @classmethod
    def values_of(cls, group: BoardGroup) -> dict[str, object]:
        boards = [board.id for board in group.boards]
        return {"name": group.name, "description": group.description, "board_ids": boards}


class GroupDeletionForm(TypedName):
    """The deletion of a group."""

    what = "group"


class PaceForm(Form):
    """How often the agents of a group are looked after."""

    every: str = Field("10m", max_length=10)
    number: Annotated[int | None, Field(ge=0, le=99_999)] = None
    unit: str = Field("m", pattern="^[smhd]$")
    include_board_leads: bool = False

    def body(self, found: BoardGroup) -> Fields:
        if self.every == "other" and self.number is None:
            raise FormInvalid(self.model_dump(), {"number": "Enter a number."})
        every = f"{self.number}{self.unit}" if self.every == "other" else self.every
        return {"every": every, "include_board_leads": self.include_board_leads}


def in_words(every: str) -> str:
    """Return an interval such as `10m` in words."""
    number, unit = every[:-1], dict(UNITS).get(every[-1:], "")
    if not number.isdecimal() or not unit:
        return every
    if int(number) == 0:
        return "never"
    return f"every {unit.removesuffix('s')}" if int(number) == 1 else f"every {int(number)} {unit}"
