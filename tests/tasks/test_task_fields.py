"""The table of a task's fields: it names every column, and whatever it declares is saved, answered and exported."""

import inspect
from datetime import datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from mission_control.mcp.registry import PEOPLES_TOOLS, TOOLS
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.fields import BY_NAME, FIELDS, PLAIN, TOOL_WORDS, TRACKED, Role, TaskField, changeable_by
from mission_control.tasks.forms import ChangeForm
from mission_control.tasks.models import Task
from mission_control.tasks.queries import TaskRow
from mission_control.tasks.schemas import TaskCreate, TaskRead, TaskUpdate
from mission_control.transfer.file import TaskPart
from tests.cast import Cast
from tests.things import bring

pytestmark = pytest.mark.dialect

# Set when a task is made, or by commands that save these columns by name.
UNTRACKED = {
    "id", "board_id", "number", "created_by_user_id", "auto_created", "auto_reason", "created_at", "updated_at",
    "deleted_at",
}  # fmt: skip


async def test_every_column_is_in_the_table(cast: Cast) -> None:
    assert {one.name for one in FIELDS if one.is_column} == set(Task._meta.fields_db_projection)
    assert len(BY_NAME) == len(FIELDS)


async def test_every_column_that_a_change_alters_is_compared_and_saved(cast: Cast) -> None:
    assert set(TRACKED) == set(Task._meta.fields_db_projection) - UNTRACKED


def test_a_column_is_answered_or_internal() -> None:
    answered = {one.name for one in FIELDS if one.is_column and one.is_answered}
    assert {one.name for one in inspect.signature(TaskRow).parameters.values()} == answered


def test_roles_change_the_same_fields_as_ever() -> None:
    parts = {"parent_id", "blocks_parent"}
    lead = {"assigned_agent_id", "status", "depends_on_task_ids", "tag_ids", *parts, "custom_field_values"}
    assert changeable_by(Role.LEAD) == lead
    assert changeable_by(Role.WORKER) == {"status", "comment", "custom_field_values"}
    assert changeable_by(Role.PERSON) == {*PLAIN, *lead, "assigned_user_id", "comment"}
    assert set(TaskUpdate.model_fields) == changeable_by(Role.PERSON)


def test_a_change_has_an_attribute_for_every_field_with_rules() -> None:
    ruled = {one.name for one in FIELDS if one.changed_by and not one.is_plain}
    assert set(inspect.signature(TaskChange).parameters) == {*ruled, "plain"}


@pytest.mark.parametrize("model", [TaskCreate, TaskUpdate, TaskRead, TaskPart])
def test_a_field_that_a_model_names_is_the_tables(model: type[BaseModel]) -> None:
    """The classes name some fields for the code that reads them; the table declares the same types."""
    [named] = [one for one in model.__bases__ if issubclass(one, BaseModel)]
    for name in named.model_fields.keys() & BY_NAME.keys():
        assert named.model_fields[name].annotation == model.model_fields[name].annotation, name


def test_tools_take_and_show_what_the_table_says() -> None:
    for one in (TOOLS["create_task"], PEOPLES_TOOLS["create_task"]):
        assert (
            set(TOOL_WORDS) <= one.takes.shown.keys()
            and one.shows is not None
            and set(TOOL_WORDS) <= set(one.shows.names)
        )


def test_forms_send_what_the_table_says() -> None:
    assert set(ChangeForm.model_fields) == {"assignee", "version"} | {
        one.word for one in FIELDS if one.form is not None
    }


def sample(one: TaskField) -> Any:
    """Return a value that no new task has."""
    kinds = {one.kind, *get_args(one.kind)}
    samples: dict[type, Any] = {
        str: "high" if one.name == "priority" else "Another text",
        datetime: "2027-02-03T04:05:06Z",
    }
    samples |= {int: 7, float: 2.5, bool: True}
    return next(value for kind, value in samples.items() if kind in kinds)


@pytest.mark.parametrize("name", PLAIN)
async def test_a_plain_field_is_saved_by_every_way_of_sending_it(cast: Cast, name: str) -> None:
    value = sample(BY_NAME[name])
    task = await cast.add_task()
    assert task[name] != value
    path = cast.task(task)
    assert (await cast.ada.patch(path, {name: value})).ok()[name] == value
    assert (await cast.ada.get(path)).ok()[name] == value
    made = (await cast.ada.post(cast.tasks, {"title": "T", name: value})).ok()
    assert (await cast.ada.get(f"{cast.tasks}/{made['id']}")).ok()[name] == value


@pytest.mark.parametrize("name", PLAIN)
async def test_a_plain_field_is_in_the_file_of_a_board(cast: Cast, name: str) -> None:
    value = sample(BY_NAME[name])
    await cast.add_task(**{name: value})
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    assert [task[name] for task in file["tasks"]] == [value]
    brought = await bring(cast.ada, file)
    tasks = (await cast.ada.get(f"/boards/{brought['board']['id']}/tasks")).ok()["items"]
    assert [task[name] for task in tasks] == [value]
