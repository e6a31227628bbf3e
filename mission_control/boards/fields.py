"""The fields of a board, declared once.

The table below is read by the bodies and answers of the API (`schemas.py`), by the board's file (`exports/`), by the
form of its settings (`forms.py`) and by the sentences of the activity. A new column touches the model, this table, a
migration, and the template that shows it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from mission_control.core.declared import REQUIRED, DeclaredField
from mission_control.core.schemas import Moment, NonEmptyStr
from mission_control.organizations.work_state import State


def _set_limits(limits: dict[str, int | None] | None) -> dict[str, int] | None:
    """Return the limits that are set; None when there are none."""
    return {name: limit for name, limit in (limits or {}).items() if limit is not None} or None


WipLimits = Annotated[
    dict[Literal["in_progress", "review"], Annotated[int | None, Field(ge=1, lt=2**31)]] | None,
    AfterValidator(_set_limits),
    Field(description="How many tasks a column takes; while one is full, agents get no tasks"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardField(DeclaredField):
    """One field of a board. A board's file holds what is `own`; `label` names the field in sentences."""

    is_changed: bool = False
    is_own: bool = False
    is_rule: bool = False
    label: str = ""


def own(name: str, kind: Any, default: Any = None, **more: Any) -> BoardField:
    """A column that people set, whatever the board belongs to."""
    return BoardField(name=name, kind=kind, default=default, is_changed=True, is_own=True, **more)


def rule(name: str, label: str, *, default: bool = False) -> BoardField:
    """A rule of the board."""
    return own(name, bool, default, is_rule=True, label=label)


def link(name: str) -> BoardField:
    """A column that says what the board belongs to."""
    return BoardField(name=name, kind=UUID | None, default=None, is_changed=True)


def kept(name: str, kind: Any) -> BoardField:
    """A column that the program sets and that answers show."""
    return BoardField(name=name, kind=kind)


def internal(name: str, kind: Any) -> BoardField:
    """A column that no answer shows."""
    return BoardField(name=name, kind=kind, is_answered=False)


# In the order in which answers have them.
FIELDS: tuple[BoardField, ...] = (
    own("name", str, REQUIRED),
    own("slug", str, REQUIRED),
    own("description", str, REQUIRED, accepts=NonEmptyStr),
    link("gateway_id"),
    link("board_group_id"),
    own("board_type", str, "goal", accepts=Annotated[str, Field(max_length=64)]),
    own("objective", str | None),
    own("success_metrics", dict[str, Any] | None),
    own("target_date", datetime | None, accepts=Moment | None),
    own("goal_confirmed", bool, False),
    own("goal_source", str | None),
    rule("require_approval_for_done", "approval before done", default=True),
    rule("require_review_before_done", "review before done"),
    rule("comment_required_for_review", "comment when entering review"),
    rule("block_status_changes_with_pending_approval", "waiting approvals hold tasks"),
    rule("only_lead_can_change_status", "only the lead moves tasks"),
    own("max_agents", int, 1, accepts=Annotated[int, Field(ge=0, lt=2**31)], label="most agents"),
    own("wip_limits", dict[str, int] | None, accepts=WipLimits, label="limits of columns"),
    kept("work_state", State),
    kept("work_state_reason", str | None),
    kept("work_state_at", datetime | None),
    kept("id", UUID),
    kept("organization_id", UUID),
    kept("created_at", datetime),
    kept("updated_at", datetime),
    internal("task_count", int),
    internal("deleted_at", datetime | None),
    internal("absent_since", datetime | None),
)
CHANGED = tuple(one for one in FIELDS if one.is_changed)
OWN = tuple(one for one in FIELDS if one.is_own)
RULES = tuple(one.name for one in FIELDS if one.is_rule)
SETTING_NAMES = {one.name: one.label for one in FIELDS if one.label}
