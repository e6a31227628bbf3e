"""The operations of the HTTP API without HTTP: the same look-ups, rules, shapes and handlers, in the same order."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.token_scopes import require_scope
from mission_control.operations.operation import admitted, handled
from mission_control.operations.registry import OPERATIONS, Operation
from mission_control.tasks.models import Task


async def perform(
    name: str,
    actor: Actor,
    ids: Mapping[str, UUID] | None = None,
    *,
    body: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
) -> Any:
    """What an operation answers; it is named by the intent of its hints, or by its id."""
    entry = _operation(name, actor.is_user)
    require_scope(actor, entry.scope)
    found = await admitted(entry, actor, ids or {})
    given: dict[str, Any] = {}
    if entry.query is not None:
        given["query"] = entry.query.model_validate(query or {})
    if entry.body is not None:
        given["data"] = TypeAdapter(entry.body).validate_python(body or {})
    return await handled(entry, actor, ids or {}, found, given)


@functools.cache
def _operation(name: str, is_for_people: bool) -> Operation:
    callers = ("user" if is_for_people else "agent", "actor")
    [found] = [one for one in OPERATIONS if one.who in callers and name in names_of(one)]
    return found


def names_of(operation: Operation) -> set[str | None]:
    """The names by which `perform` knows an operation."""
    return {operation.operation_id, operation.hints.intent if operation.hints else None}


def home(actor: Actor) -> UUID:
    """The board on which the calling agent works."""
    if actor.board_id is None:
        raise Conflict({"message": "You work on no board. A person can put you on one.", "code": "no_board"})
    return actor.board_id


def at(actor: Actor, **ids: UUID) -> dict[str, UUID]:
    """The ids of something on the board of the calling agent, as paths name them."""
    return {"board_id": home(actor), **ids}


async def at_task(actor: Actor, task_id: UUID, **ids: UUID) -> dict[str, UUID]:
    """The ids of something of a task: on the board of the calling agent, or wherever a person's task is."""
    if actor.is_agent:
        return at(actor, task_id=task_id, **ids)
    task = await Task.get_or_none(id=task_id)
    if task is None:
        raise NotFound()
    return {"board_id": task.board_id, "task_id": task_id, **ids}  # whether the person sees it, the operation asks


def holding(actor: Actor, fence: int | None) -> Actor:
    """The agent, writing in the name of a hand-out; without one as itself."""
    return actor if fence is None else replace(actor, fence=fence)
