"""Board groups over HTTP."""

from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardRead
from mission_control.core.actor import Actor
from mission_control.core.values import OK, JsonObject, OkResponse, Page, Paging, page
from mission_control.groups.commands import apply_heartbeat, create_group, delete_group, update_group
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import (
    BoardGroupCreate,
    BoardGroupHeartbeatApply,
    BoardGroupHeartbeatApplyResult,
    BoardGroupRead,
    BoardGroupSnapshot,
    BoardGroupSnapshotQuery,
    BoardGroupUpdate,
    GroupSnapshotQuery,
    list_groups,
    reachable_group,
    snapshot_around,
    snapshot_of_group,
)
from mission_control.http.operation_api import Api
from mission_control.http.response_cache import Cached, state_of_organization, who_reads_the_same

api = Api(__name__, "board-groups")
GROUP = "/board-groups/<group_id>"


@api.get("/board-groups", Page[BoardGroupRead])
async def list_board_groups(actor: Actor, query: Paging) -> JsonObject:
    """List the groups of the active organization by name.

    A member who does not read all boards sees the groups of the boards that they read.
    """
    groups, total = await list_groups(actor, query)
    return page([BoardGroupRead.of(group) for group in groups], total, query)


@api.post("/board-groups", rule="board_group.create")
async def create_board_group(actor: Actor, data: BoardGroupCreate) -> BoardGroupRead:
    """Create a group in the active organization. A blank slug is derived from the name.

    With `board_ids` these boards join it, all or none; a board that is in another group leaves that.
    """
    return BoardGroupRead.of(await create_group(actor, actor.organization_id, data))


@api.get(GROUP, rule="board_group.read")
async def get_board_group(actor: Actor, group: BoardGroup) -> BoardGroupRead:
    """Read a group."""
    return BoardGroupRead.of(group)


async def _state_of_snapshot(actor: Actor, group: BoardGroup, query: GroupSnapshotQuery) -> object:
    position = await state_of_organization(actor, group, query)
    return position, BoardGroupRead.of(group), [BoardRead.of(board) for board in group.boards]


SNAPSHOT = Cached(_state_of_snapshot, who_reads_the_same)


@api.get(f"{GROUP}/snapshot", BoardGroupSnapshot, rule="board_group.read", cached=SNAPSHOT)
async def get_board_group_snapshot(actor: Actor, group: BoardGroup, query: GroupSnapshotQuery) -> JsonObject:
    """Read the state of the group's boards that you can read."""
    return await snapshot_of_group(actor, group, query)


@api.patch(GROUP, rule="board_group.update")
async def update_board_group(actor: Actor, group: BoardGroup, data: BoardGroupUpdate) -> BoardGroupRead:
    """Change the fields of a group that are sent.

    With `board_ids` the group has exactly these boards, apart from those that you cannot change.
    """
    return BoardGroupRead.of(await update_group(actor, group, data))


@api.delete(GROUP, rule="board_group.delete")
async def delete_board_group(actor: Actor, group: BoardGroup) -> OkResponse:
    """Delete a group and its memory. Its boards stay, without a group."""
    await delete_group(actor, group)
    return OK


@api.post(
    f"{GROUP}/heartbeat",
    BoardGroupHeartbeatApplyResult,
    who="actor",
    find=reachable_group,
    rule="board_group.apply_heartbeat",
)
async def apply_board_group_heartbeat(actor: Actor, group: BoardGroup, data: BoardGroupHeartbeatApply) -> JsonObject:
    """Set how often the server looks after the agents of the group's boards. Leads are included only when asked for.

    It is stored for all of them. The agents of a gateway get it in the background; those whose gateway has no address
    or workspace root have failed.
    """
    updated, failed = await apply_heartbeat(actor, group, data.every, include_leads=data.include_board_leads)
    return {
        "board_group_id": group.id,
        "requested": data.model_dump(),
        "updated_agent_ids": updated,
        "failed_agent_ids": failed,
    }


@api.get(
    "/boards/<board_id>/group-snapshot",
    BoardGroupSnapshot,
    who="actor",
    tags=("boards", "agent-lead", "agent-worker"),
    rule="board.read",
)
async def get_board_group_snapshot_for_board(actor: Actor, board: Board, query: BoardGroupSnapshotQuery) -> JsonObject:
    """Read the state of the other boards in this board's group.

    People see the boards that they read, agents all of them. Without a group: null and no boards.
    """
    return await snapshot_around(actor, board, query)
