"""Tags on the agents' own path."""

from typing import Any

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.operations.api import Api, hints
from mission_control.tags.queries import tags_for
from mission_control.tags.schemas import TagRef

api = Api(__name__, below="/agent")


@api.get(
    "/boards/<board_id>/tags",
    list[TagRef],
    rule="board.read",
    hints=hints(
        "agent_board_tag_discovery",
        use="To learn the ids of the tags that tasks here can carry.",
        avoid="Not to read which tags a task has; the task itself says so.",
        never="Do not invent tag ids.",
        route="Before a lead sets tag_ids on a task.",
        example="which tags can I put on a task",
    ),
)
async def agent_list_tags(actor: Actor, board: Board) -> list[dict[str, Any]]:
    """List the tags that tasks of your board can carry, by name."""
    return await tags_for(board)
