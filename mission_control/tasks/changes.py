"""What a caller sends to change a task, and what a task was before."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from mission_control.core.declared import UNSET, Unset
from mission_control.tasks.fields import PLAIN, TRACKED
from mission_control.tasks.models import Task

type Difference = tuple[Any, Any]  # a value before and after


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """A change of a task. Its attributes are the fields that have rules; `plain` are the others that were sent."""

    status: str | Unset = UNSET
    assigned_agent_id: UUID | Unset | None = UNSET
    assigned_user_id: UUID | Unset | None = UNSET
    depends_on_task_ids: list[UUID] | Unset = UNSET
    tag_ids: list[UUID] | Unset = UNSET
    custom_field_values: Mapping[str, object] | Unset = UNSET
    comment: str | Unset = UNSET
    plain: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the change that sets some fields to these values, which are valid."""
        ruled = {name: value for name, value in values.items() if name not in PLAIN}
        return cls(**ruled, plain={name: value for name, value in values.items() if name in PLAIN})

    @property
    def names(self) -> frozenset[str]:
        """The names of the fields that were sent."""
        ruled = (one.name for one in fields(self) if one.name != "plain")
        return frozenset(name for name in ruled if getattr(self, name) is not UNSET) | self.plain.keys()


class TaskSnapshot:
    """What a task was before it changed: every column that a change can alter."""

    status: str
    assigned_agent_id: UUID | None
    assigned_user_id: UUID | None
    in_progress_at: datetime | None
    previous_in_progress_at: datetime | None
    flagged_at: datetime | None
    flag_reason: str | None

    def __init__(self, task: Task) -> None:
        for name in TRACKED:
            setattr(self, name, getattr(task, name))

    def changed(self, task: Task) -> dict[str, Difference]:
        """Return the columns that differ now, by name: their values before and after."""
        pairs = {name: (getattr(self, name), getattr(task, name)) for name in TRACKED}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
