"""Operations of the HTTP API without HTTP: the same look-ups, rules, schemas and handlers, in the same order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.token_scopes import require_scope
from mission_control.operations.operation import admitted, handled
from mission_control.operations.registry import operation_named
from mission_control.tasks.models import Task


async def perform(
    name: str,
    actor: Actor,
    ids: Mapping[str, UUID | str] | None = None,
    *,
    body: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
) -> Any:
    """Perform the operation of a name and return its answer."""
    entry = operation_named(name, for_agents=not actor.is_user)
    require_scope(actor, entry.scope_of(actor))
    found = await admitted(entry, actor, ids or {})
    given: dict[str, Any] = {}
    if entry.query is not None:
        given["query"] = entry.query.model_validate(query or {})
    if entry.body is not None:
        given["data"] = TypeAdapter(entry.body).validate_python(body or {})
    return await handled(entry, actor, ids or {}, found, given)


def home(actor: Actor) -> UUID:
    """Return the board of the calling agent."""
    if actor.board_id is None:
        raise Conflict(ErrorCode.NO_BOARD.detail())
    return actor.board_id


def at(actor: Actor, **ids: UUID) -> dict[str, UUID]:
    """Return the path parameters of a resource on the calling agent's board."""
    return {"board_id": home(actor), **ids}


async def at_task(actor: Actor, task_id: UUID, **ids: UUID) -> dict[str, UUID]:
    """Return the path parameters of a task's resource: on the calling agent's board, or of a person's task anywhere."""
    if actor.is_agent:
        return at(actor, task_id=task_id, **ids)
    task = await Task.get_or_none(id=task_id)
    if task is None:
        raise NotFound()
    return {"board_id": task.board_id, "task_id": task_id, **ids}  # the operation checks whether the person can see it


def holding(actor: Actor, fence: int | None) -> Actor:
    """Return the agent with the fence of an assignment, or without one."""
    return actor if fence is None else replace(actor, fence=fence)
