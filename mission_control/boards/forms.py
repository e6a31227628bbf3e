"""What the forms of the board pages send."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from mission_control.boards.commands import slugify
from mission_control.boards.fields import RULES
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardCreate, BoardUpdate
from mission_control.core.schemas import NonEmptyStr, OptionalText
from mission_control.web.actions import Form, VersionedForm
from mission_control.web.forms import FormInvalid

Name = Annotated[NonEmptyStr, Field(max_length=200)]
Limit = Annotated[int | None, Field(ge=1, le=2**31 - 1)]
LIMITS = {"wip_in_progress": "in_progress", "wip_review": "review"}
PLAIN = ("name", "description", "objective", "max_agents", *RULES)
DELETE_WORDS = "Type the board's name exactly as it is written above."


class TypedBoard(BoardCreate):
    """A new board as people type it: the description may be empty, which the predecessor's shape refuses."""

    description: str = ""


class TypedBoardChange(BoardUpdate):
    """A change of a board as people type it, likewise."""

    description: str | None = None


class NewBoardForm(Form):
    """A new board: a name is enough."""

    name: Name
    description: str = Field("", max_length=10_000)
    gateway_id: UUID | None = None
    require_approval_for_done: bool = False

    def body(self, found: None) -> TypedBoard:
        """Return the board to create."""
        typed = {**self.model_dump(), "slug": slugify(self.name), "description": self.description.strip()}
        return TypedBoard.model_validate(typed)


class BoardSettingsForm(VersionedForm):
    """The fields of a board that people change."""

    SHOWN = (*PLAIN, "wip_limits", "gateway_id")
    name: Name
    description: str = Field("", max_length=10_000)
    objective: OptionalText = Field(None, max_length=10_000)
    gateway_id: UUID | None = None
    max_agents: int = Field(1, ge=0, le=1000)
    require_approval_for_done: bool = False
    require_review_before_done: bool = False
    comment_required_for_review: bool = False
    block_status_changes_with_pending_approval: bool = False
    only_lead_can_change_status: bool = False
    wip_in_progress: Limit = None
    wip_review: Limit = None

    def body(self, found: Board) -> TypedBoardChange:
        """Return the change; the gateway only where the form shows one and another was chosen."""
        limits = {status: getattr(self, name) for name, status in LIMITS.items()}
        is_chosen = "gateway_id" in self.model_fields_set and self.gateway_id != found.gateway_id
        chosen = {"gateway_id": self.gateway_id} if is_chosen else {}
        return TypedBoardChange.model_validate({**self.model_dump(include=set(PLAIN)), "wip_limits": limits, **chosen})

    @classmethod
    def values_of(cls, board: Board) -> dict[str, Any]:
        """Return what the form shows of a board."""
        limits = {name: (board.wip_limits or {}).get(status) for name, status in LIMITS.items()}
        plain = {name: getattr(board, name) for name in (*PLAIN, "gateway_id")}
        return plain | limits | {"version": cls.version_of(board)}

    @classmethod
    def conflict_errors(cls, board: Board, fields: list[str]) -> dict[str, str]:
        """Return what to say of fields that somebody else changed, by their names in the form."""
        present = cls.values_of(board)
        names = [one for name in fields for one in (LIMITS if name == "wip_limits" else (name,))]
        values = {name: f" to {in_words(present[name])}" for name in names if name != "gateway_id"}
        return {name: f"Somebody changed it{values.get(name, '')}. Saving replaces that." for name in names}


class LimitForm(Form):
    """How many tasks one column takes; empty for any number."""

    status: Literal["in_progress", "review"]
    limit: Limit = None

    def body(self, found: Board) -> BoardUpdate:
        """Return the change, which keeps the limits of the other columns."""
        return BoardUpdate.model_validate({"wip_limits": {**(found.wip_limits or {}), self.status: self.limit}})


class BoardDeletionForm(Form):
    """The board's name, typed to be sure."""

    name: str = ""

    def body(self, found: Board) -> None:
        """Refuse another name; the operation takes no body."""
        if self.name.strip() != found.name.strip():
            raise FormInvalid({"typed": self.name}, {"typed": DELETE_WORDS})


def in_words(value: Any) -> str:
    """Return a field's value as it stands in a sentence, such as `on`, `empty` or `“Telescope”`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    return f"“{text[:80]}{'…' if len(text) > 80 else ''}”" if text else "empty"
