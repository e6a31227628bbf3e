"""The fence of an agent's assignment: in the header `X-Task-Fence`, in the body as `fence`, or in both."""

from dataclasses import replace
from typing import Any, get_args

from pydantic import BaseModel

from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid, schema_error
from mission_control.operations.registry import Operation

FIELD = "fence"
HIGHEST = 2**31


def takes_fence(entry: Operation) -> bool:
    """Return whether an operation is a write of an agent about a task, whose path or body names it. A claim is none."""
    if entry.method == "GET" or entry.who not in ("agent", "actor") or entry.is_long_poll:
        return False
    return "<task_id>" in entry.path or any({"task_id", "task_ids"} & set(one.model_fields) for one in _shapes(entry))


def with_fence(entry: Operation, actor: Actor | None, raw: Any) -> tuple[Actor | None, Any]:
    """Return the agent with the fence that it sent, and the body as the operation declares it.

    A body that declares no `fence` loses it, one that does gets that of the header. Raise Invalid when the two differ.
    """
    if actor is None or not actor.is_agent or not isinstance(raw, dict) or not takes_fence(entry):
        return actor, raw
    is_declared = _is_declared(entry)
    if FIELD in raw and raw[FIELD] is not None:
        actor = _holding(actor, raw[FIELD])
        return actor, raw if is_declared else {name: value for name, value in raw.items() if name != FIELD}
    return actor, {**raw, FIELD: actor.fence} if is_declared and actor.fence is not None else raw


def _holding(actor: Actor, sent: Any) -> Actor:
    if not isinstance(sent, int) or isinstance(sent, bool) or not 0 <= sent < HIGHEST:
        raise Invalid(
            [schema_error("int_type", ["body", FIELD], "The fence is the number that the claim answered", sent)]
        )
    if actor.fence not in (None, sent):
        raise Invalid(ErrorCode.FENCES_DIFFER.detail())
    return replace(actor, fence=sent)


def _is_declared(entry: Operation) -> bool:
    return any(FIELD in one.model_fields for one in _shapes(entry))


def _shapes(entry: Operation) -> list[type[BaseModel]]:
    options = (entry.body, *get_args(entry.body))
    return [one for one in options if isinstance(one, type) and issubclass(one, BaseModel)]
