"""Operations on one entry, the same for boards and groups."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from mission_control.authn.authentication import Who
from mission_control.core.actor import Actor
from mission_control.core.schemas import OK, OkResponse
from mission_control.memory.commands import delete_group_memory, delete_memory, edit_group_memory, edit_memory
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.memory.queries import MemoryUpdate, read_entry
from mission_control.operations.api import Api
from mission_control.operations.operation import operation

type AnyEntry = BoardMemory | GroupMemory
type Find = Callable[..., Awaitable[AnyEntry]]


async def get_entry(actor: Actor, entry: AnyEntry) -> dict[str, Any]:
    """Read an entry."""
    return await read_entry(type(entry), entry.id)


async def update_entry(actor: Actor, entry: AnyEntry, data: MemoryUpdate) -> dict[str, Any]:
    """Change an entry that you wrote; admins change any."""
    changes = data.model_dump(exclude_unset=True)
    if isinstance(entry, BoardMemory):
        await edit_memory(actor, entry, changes)
    else:
        await edit_group_memory(actor, entry, changes)
    return await read_entry(type(entry), entry.id)


async def delete_entry(actor: Actor, entry: AnyEntry) -> dict[str, bool]:
    """Delete an entry that you wrote; admins delete any."""
    if isinstance(entry, BoardMemory):
        await delete_memory(actor, entry)
    else:
        await delete_group_memory(actor, entry)
    return OK


def serve_entries(
    api: Api,
    path: str,
    name: str,
    *,
    tags: tuple[str, ...],
    who: Who,
    find: Find,
    noun: str,
    returns: type[BaseModel],
) -> None:
    """Serve reading, changing and deleting an entry below a path. `noun` begins the verbs: `memory`, `group_memory`."""
    one = f"{path}/<memory_id>"
    operation(api, "GET", one, operation_id=f"get_{name}", tags=tags, who=who, find=find, returns=returns)(get_entry)
    operation(
        api,
        "PATCH",
        one,
        operation_id=f"update_{name}",
        tags=tags,
        who=who,
        find=find,
        verb=f"{noun}.edit",
        body=MemoryUpdate,
        returns=returns,
    )(update_entry)
    operation(
        api,
        "DELETE",
        one,
        operation_id=f"delete_{name}",
        tags=tags,
        who=who,
        find=find,
        verb=f"{noun}.delete",
        returns=OkResponse,
    )(delete_entry)
