"""Tags on the agents' own path."""

from typing import Any

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.operations.api import Api
from mission_control.operations.hints import BOARD_ROLES, hints
from mission_control.operations.operation import operation
from mission_control.tags.queries import tags_for
from mission_control.tags.schemas import TagRef

api = Api("tags_agent_api", __name__, url_prefix="/api/v1/agent")


@operation(
    api,
    "GET",
    "/boards/<board_id>/tags",
    operation_id="list_tags_api_v1_agent_boards__board_id__tags_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_board,
    verb="board.read",
    returns=list[TagRef],
    hints=hints(
        "agent_board_tag_discovery",
        "any_agent",
        use="To learn the ids of the tags that tasks here can carry.",
        avoid="Not to read which tags a task has; the task itself says so.",
        never="Do not invent tag ids.",
        route="Before a lead sets tag_ids on a task.",
        example="which tags can I put on a task",
    ),
)
async def list_tags(actor: Actor, board: Board) -> list[dict[str, Any]]:
    """List the tags that tasks of your board can carry, by name."""
    return await tags_for(board)
