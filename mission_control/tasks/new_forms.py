"""What the forms of new tasks send."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field
from quart import request

from mission_control.boards.models import Board
from mission_control.boards.statuses import TaskStatus
from mission_control.core.declared import completed
from mission_control.core.schemas import BlankToNone
from mission_control.tasks.fields import from_form, to_form
from mission_control.tasks.forms import Title, assignee_fields
from mission_control.tasks.panel_fields import typed
from mission_control.tasks.quick_add import QuickTask
from mission_control.web.forms import Fields, Form, FormInvalid, read_form

FIELD = "field:"  # begins the name of the input of a custom field


class NewTaskForm(Form):
    """A new task in one line."""

    title: Title
    status: TaskStatus = "inbox"
    after: UUID | None = None

    def body(self, found: Board) -> QuickTask:
        return QuickTask(text=self.title, status=self.status, after_task_id=self.after)


@completed(to_form())
class FullTaskForm(Form):
    """A new task with everything that can be said of it at once. The table of fields adds its inputs."""

    title: Title
    description: Annotated[Annotated[str, Field(max_length=100_000)] | None, BlankToNone] = None
    status: TaskStatus = "inbox"
    assignee: str = ""
    tag_ids: list[UUID] = []
    depends_on_task_ids: list[UUID] = []
    fields: Annotated[dict[str, str], Field(exclude=True)] = {}

    @classmethod
    async def read(cls) -> Self:
        """Read the form with the values of custom fields, each named `field:<type>:<key>`."""
        fields = {name: text for name, text in (await request.form).items() if name.startswith(FIELD)}
        try:
            form = await read_form(cls)
        except FormInvalid as error:
            error.values["fields"] = fields
            raise
        form.fields = fields
        return form

    def body(self, found: Board) -> Fields:
        """Return the task to create. A custom field that is left empty has its default."""
        said = self.model_dump(exclude={"assignee", *to_form()}) | from_form(self.model_dump())
        own: dict[str, Any] = {}
        for name, text in self.fields.items():
            _, kind, key = name.split(":", 2)
            try:
                own[key] = typed(kind, text)
            except ValueError as error:
                raise FormInvalid({**self.model_dump(), "fields": self.fields}, {name: str(error)}) from None
        values = {key: value for key, value in own.items() if value is not None}
        return {**said, **assignee_fields(self.assignee), "custom_field_values": values}
