"""Lists of a board that wait until they are others than the caller knows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.paging import NewsPaging, page, version_of
from mission_control.operations.operation import settled


async def settled_list[Q: NewsPaging](
    actor: Actor,
    board: Board,
    channel: str,
    query: Q,
    list_of: Callable[[Board, Q], Awaitable[tuple[list[dict[str, Any]], int]]],
    marks: Sequence[str],
) -> dict[str, Any]:
    """Return a page of a board's things once it is another one than the caller knows, or when the time is over.

    `marks` are the fields that tell that one of the things is another.
    """

    async def read(present: Board) -> dict[str, Any]:
        found, total = await list_of(present, query)
        version = version_of(total, ([one[name] for name in marks] for one in found))
        return {**page(found, total, query), "version": version}

    return await settled(
        actor,
        board,
        channel,
        find=lambda present: visible_board(present, board.id),
        read=read,
        is_settled=lambda answer: answer["version"] != query.known,
        seconds=query.wait_seconds,
    )
