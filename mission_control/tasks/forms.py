"""What the forms of the task pages send."""

from functools import partial
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from mission_control.boards.statuses import TaskStatus
from mission_control.core.declared import completed
from mission_control.core.errors import Invalid
from mission_control.core.ids import parse_id
from mission_control.core.schemas import BlankToNone, NonEmptyStr
from mission_control.custom_fields.queries import values_of_tasks
from mission_control.tags.assignment import tag_ids_of
from mission_control.tags.slugs import slug_from
from mission_control.tasks.fields import from_form, in_form, to_form
from mission_control.tasks.models import Task
from mission_control.tasks.panel_fields import shown, typed
from mission_control.tasks.schemas import (
    Place,
)
from mission_control.web.forms import EditConflict, Fields, Form, FormInvalid, VersionedForm, merge, version_of

Title = Annotated[NonEmptyStr, Field(max_length=500)]


class MoveForm(VersionedForm):
    """The new place of a card. `assignee` returns the task to somebody when a move is undone, `version` to what it was.

    `approve` also approves that the task is finished.
    """

    status: TaskStatus | None = None
    place: Place | None = None
    before_task_id: UUID | None = None
    after_task_id: UUID | None = None
    assignee: str | None = None
    approve: bool = False

    def body(self, found: Task) -> Fields:
        moved = self.model_dump(exclude_none=True, exclude={"version", "assignee"})
        return {"status": found.status, **moved, **(assignee_fields(self.assignee) if self.assignee else {})}

    @classmethod
    def values_of(cls, task: Task) -> dict[str, Any]:
        """Return the status, which says where a card was moved to."""
        return {"status": task.status}

    async def merged(self, found: Task) -> Self:
        """Refuse to take a move back when somebody moved the card on."""
        if self.version != self.version_of(found):
            raise EditConflict(self.model_dump(), self.values_of(found))
        return self

    def hidden(self) -> dict[str, str]:
        """Return the fields of the form that repeats this move."""
        return {name: str(value) for name, value in self.model_dump(exclude={"approve"}, exclude_defaults=True).items()}


class TextForm(VersionedForm):
    """Title and description."""

    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None


@completed(to_form())
class ChangeForm(VersionedForm):
    """One or more facts of a task; absent fields stay as they are. The table of fields adds its inputs."""

    assignee: str | None = None

    def body(self, found: Task) -> Fields:
        """Return the change, without clearing an assignee that the task does not have."""
        sent = self.model_dump(exclude_unset=True, exclude=self._untouched)
        changes = from_form(sent)
        if "assignee" in sent:
            wanted = assignee_fields(self.assignee)
            changes |= {name: one for name, one in wanted.items() if one is not None or getattr(found, name) != one}
        return changes

    @classmethod
    def values_of(cls, task: Any) -> dict[str, Any]:
        """Return what the inputs show of a task."""
        assignee = assignee_value(task.assigned_agent_id, task.assigned_user_id)
        return in_form(partial(getattr, task)) | {"assignee": assignee}


class FieldsForm(VersionedForm):
    """Values of custom fields, each with its key and its type: one, or all that must be filled in together."""

    key: Annotated[list[str], Field(min_length=1)]
    kind: list[str]
    value: list[str] = []

    def body(self, found: Task) -> Fields:
        """Return the change; a single blank value clears its field."""
        try:
            values = {
                key: typed(kind, text)
                for key, kind, text in zip(self.key, self.kind, self._texts(), strict=True)
                if key not in self._untouched
            }
        except ValueError as error:
            raise FormInvalid(self.model_dump(), {"": str(error)}) from None
        return {"custom_field_values": values}

    def _texts(self) -> list[str]:
        texts = self.value or ([""] if len(self.key) == 1 else [])
        if not len(self.key) == len(self.kind) == len(texts):
            raise FormInvalid(self.model_dump(), {"": "Fill in every field, or none of them can be saved."})
        return texts

    async def merged(self, found: Task) -> Self:
        """Compare with the values that the task has now."""
        values = (await values_of_tasks(found.board_id, [found.id])).of(found.id)
        present = {key: shown(kind, values.get(key)) for key, kind in zip(self.key, self.kind, strict=False)}
        _, theirs, untouched = merge(self.version, dict(zip(self.key, self._texts(), strict=True)), present)
        if theirs:
            raise EditConflict(self.model_dump() | {"version": version_of(present)}, theirs)
        form = self.model_copy()
        form._untouched = untouched
        return form


class TagsForm(VersionedForm):
    """The tags that a task was shown with, and one that is put on it or taken off. Others' tags stay."""

    tag_ids: list[UUID] = []
    toggle: UUID | None = None

    @property
    def is_versioned(self) -> bool:
        """The tag is put on or taken off, whatever the others are."""
        return True

    async def merged(self, found: Task) -> Self:
        """Return the tags that the task has now, with the one put on or taken off."""
        added = [self.toggle] if self.toggle and self.toggle not in self.tag_ids else []
        kept = [one for one in await tag_ids_of(found.id) if one != self.toggle]
        return self.model_copy(update={"tag_ids": kept + added})


class NewTagForm(Form):
    """A new tag. Two tags of one organization never share a slug, so a known name is refused."""

    name: Annotated[NonEmptyStr, Field(max_length=100)]

    def body(self, found: None) -> Fields:
        return {"name": self.name, "slug": slug_from(self.name) or None}


class CommentForm(Form):
    """A comment."""

    message: Annotated[NonEmptyStr, Field(max_length=100_000)]


class CommentEditForm(VersionedForm, CommentForm):
    """Other words for a comment."""


class TitleForm(VersionedForm):
    """The title alone, edited where it stands."""

    title: Title


def assignee_fields(value: str | None) -> dict[str, Any]:
    """Return `agent:<id>`, `user:<id>` or nobody as fields of a task."""
    kind, _, name = (value or "").partition(":")
    if not kind:
        return {"assigned_agent_id": None, "assigned_user_id": None}
    found = parse_id(name)
    if kind not in ("agent", "user") or found is None:
        raise Invalid("Choose an agent or a person of this board.")
    return {f"assigned_{kind}_id": found}


def assignee_value(agent_id: UUID | None, user_id: UUID | None) -> str:
    """Return the assignee of a task as forms send it: the inverse of `assignee_fields`."""
    return f"agent:{agent_id}" if agent_id else f"user:{user_id}" if user_id else ""
