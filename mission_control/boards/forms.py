"""What the forms of the board pages send."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from mission_control.boards.commands import slugify, version_of
from mission_control.boards.models import Board
from mission_control.core.schemas import NonEmptyStr, OptionalText

Name = Annotated[NonEmptyStr, Field(max_length=200)]
Limit = Annotated[int | None, Field(ge=1, le=2**31 - 1)]
LIMITS = {"wip_in_progress": "in_progress", "wip_review": "review"}
RULES = (
    "require_approval_for_done",
    "require_review_before_done",
    "comment_required_for_review",
    "block_status_changes_with_pending_approval",
    "only_lead_can_change_status",
)


class NewBoardForm(BaseModel):
    """A board to be made: a name is enough."""

    name: Name
    description: str = Field("", max_length=10_000)
    require_approval_for_done: bool = False

    def fields(self) -> dict[str, Any]:
        """What the command needs."""
        return {**self.model_dump(), "slug": slugify(self.name), "description": self.description.strip()}


class BoardSettingsForm(BaseModel):
    """Everything that people change about a board."""

    name: Name
    description: str = Field("", max_length=10_000)
    objective: OptionalText = Field(None, max_length=10_000)
    max_agents: int = Field(1, ge=0, le=1000)
    require_approval_for_done: bool = False
    require_review_before_done: bool = False
    comment_required_for_review: bool = False
    block_status_changes_with_pending_approval: bool = False
    only_lead_can_change_status: bool = False
    wip_in_progress: Limit = None
    wip_review: Limit = None
    version: str = Field("", max_length=2000)

    def fields(self) -> dict[str, Any]:
        """What the command changes."""
        limits = {status: getattr(self, name) for name, status in LIMITS.items()}
        set_ones = {status: limit for status, limit in limits.items() if limit is not None}
        return {**self.model_dump(exclude={*LIMITS, "version"}), "wip_limits": set_ones or None}

    @classmethod
    def values_of(cls, board: Board) -> dict[str, Any]:
        """What the form shows for a board."""
        limits = {name: (board.wip_limits or {}).get(status) for name, status in LIMITS.items()}
        shown = {name: getattr(board, name) for name in cls.model_fields if name not in (*LIMITS, "version")}
        return shown | limits | {"version": version_of(board, (*shown, "wip_limits"))}

    @classmethod
    def changed_meanwhile(cls, board: Board, fields: list[str]) -> dict[str, str]:
        """What to say of fields that somebody else changed, by their names in the form."""
        present = cls.values_of(board)
        names = [one for name in fields for one in (LIMITS if name == "wip_limits" else (name,))]
        return {name: f"Somebody changed it to {in_words(present[name])}. Saving replaces that." for name in names}


def in_words(value: Any) -> str:
    """Return a field's value as it is said in a sentence, such as `on`, `empty` or `“Telescope”`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    return f"“{text[:80]}{'…' if len(text) > 80 else ''}”" if text else "empty"


class BoardDeletionForm(BaseModel):
    """The board's name, typed to be sure."""

    name: str = ""
