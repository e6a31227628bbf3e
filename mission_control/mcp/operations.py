"""Operations of the HTTP API without HTTP: the same look-ups, rules, schemas and handlers, in the same order."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from tortoise.queryset import QuerySet

from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, ErrorCode, NotFound
from mission_control.core.values import JsonObject, parse_id
from mission_control.http import operation
from mission_control.http.registry import Operation, operation_named
from mission_control.needs.recipients import writer_named
from mission_control.tasks.models import Task

NUMBER = re.compile(r"\s*#?([0-9]{1,9})\s*")
MOST_NAMED = 5
FENCE = "fence"


async def perform(name: str, actor: Actor, /, **sent: Any) -> Any:
    """Perform an operation with what its path, query and body take. Return its answer.

    The board of an agent, or of a task, need not be sent. A `fence` that no shape has is the caller's.
    """
    entry = operation_named(name, for_agents=actor.is_agent)
    known = fields_of(entry)
    if FENCE in sent and FENCE not in known:
        fence = sent.pop(FENCE)
        actor = replace(actor, fence=fence) if actor.is_agent else actor
    ids = await _ids(entry, actor, sent)
    sent = {field: value for field, value in sent.items() if field not in ids}
    if unknown := sent.keys() - known.keys():
        raise TypeError(f"{name} takes no {', '.join(sorted(unknown))}")
    body = {field: value for field, value in sent.items() if field in _fields(entry.body)}
    query = {field: sent[field] for field in sent.keys() - body.keys()}
    return await operation.perform(entry, actor, ids, body, query)


def fields_of(entry: Operation) -> dict[str, FieldInfo]:
    return {**_fields(entry.query), **_fields(entry.body)}


def _fields(shape: object) -> dict[str, FieldInfo]:
    options = (shape, *get_args(shape))
    models = [option for option in options if isinstance(option, type) and issubclass(option, BaseModel)]
    return {name: info for model in models for name, info in model.model_fields.items()}


async def _ids(entry: Operation, actor: Actor, sent: Mapping[str, object]) -> JsonObject:
    names = entry.path_names
    ids = {name: sent[name] for name in names if name in sent}
    if "board_id" in names and "board_id" not in ids:
        if actor.is_agent:
            ids["board_id"] = home(actor)
        elif (task := await Task.get_or_none(id=ids["task_id"])) is not None:
            ids["board_id"] = task.board_id  # the operation checks whether the person can see it
        else:
            raise NotFound()
    return ids


def home(actor: Actor) -> UUID:
    if actor.board_id is None:
        raise Conflict(ErrorCode.NO_BOARD.detail())
    return actor.board_id


async def person_asked(actor: Actor, name: str | None) -> UUID | None:
    """Return the person whom an agent names, or whose id it has. Raise Invalid when they cannot answer on the board."""
    if name is None:
        return None
    return parse_id(name) or await writer_named(await Board.get(id=home(actor)), name)


async def with_ids(actor: Actor, given: JsonObject) -> JsonObject:
    """Return arguments of a tool with ids for the numbers of tasks, and the names of boards and agents.

    People write tasks as `#3` or `3`: in `...task_id`, `...task_ids` and `parent_id`.
    """
    found = dict(given)
    if "board_id" in found:
        found["board_id"] = await _id_of_named(Board.visible_to(actor), "board", found["board_id"])
    for name, value in given.items():
        if name.endswith(("task_id", "parent_id")):
            found[name] = await _id_of(actor, value, found)
        elif name.endswith("task_ids") and isinstance(value, list):
            found[name] = [await _id_of(actor, one, found) for one in value]
        elif name.endswith("agent_id") and parse_id(value) is None:
            agents = Agent.filter(board_id__in=await _boards(actor, found))
            found[name] = await _id_of_named(agents, "agent", value)
    return found


async def _id_of_named(things: QuerySet[Any], noun: str, value: object) -> Any:
    """Return the id of the thing with a name; an id, or what is no text, as it is, for the schema."""
    if not isinstance(value, str) or parse_id(value) is not None:
        return value
    ids = (
        await things.filter(name__iexact=value.strip().removeprefix("@")).limit(MOST_NAMED).values_list("id", flat=True)
    )
    if not ids:
        raise NotFound(f"There is no {noun} “{value}” where you work.")
    if len(ids) > 1:
        raise Conflict(f"Several are called “{value}”. Give the id: {', '.join(map(str, ids))}.")
    return ids[0]


async def _id_of(actor: Actor, value: object, given: JsonObject) -> Any:
    """Return the id of a task that a value numbers; what is no number as it is, for the schema."""
    if isinstance(value, bool) or not (written := NUMBER.fullmatch(str(value))):
        return value
    number = int(written[1])
    present = Task.filter(number=number, deleted_at=None).filter(board_id__in=await _boards(actor, given))
    found = await present.limit(MOST_NAMED).values_list("id", "board__name")
    if not found:
        raise NotFound(f"There is no task #{number} where you work.")
    if len(found) > 1:
        where = ", ".join(f"{task_id} on {board}" for task_id, board in found)
        raise Conflict(f"Several boards have a task #{number}. Give its id: {where}.")
    return found[0][0]


async def _boards(actor: Actor, given: JsonObject) -> list[UUID]:
    """Return where to look: the agent's board; the board that a person named, else all that the person reads."""
    if actor.is_agent:
        return [home(actor)]
    visible = Board.visible_to(actor)
    if (board_id := parse_id(given.get("board_id"))) is not None:
        visible = visible.filter(id=board_id)
    return [one.id for one in await visible.only("id")]
