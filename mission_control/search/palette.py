"""Results of the palette: places, actions, and everything with a name or words that the reader may see."""

from collections.abc import Sequence
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.search import finding
from mission_control.search.hits import Group, Hit, group_of
from mission_control.search.new_task import new_task
from mission_control.web.palette import ENTRIES, PaletteEntry
from mission_control.web.settings import HOME

LIMIT = 20
LONGEST_GROUP = 6


async def palette(actor: Actor, query: str, current_board: UUID | None, *, limit: int = LIMIT) -> list[Group]:
    """Return groups of at most `limit` lines in all, that with the best fit first. Without a query: places and actions.

    The pages of tasks and texts come last among equals, because they may be many.
    """
    boards, words = await boards_of(actor), query.lower().split()
    most = LONGEST_GROUP if limit == LIMIT else limit
    board = next((one for one in boards if one.id == current_board), None)
    groups = [
        group_of("Go to", _entries("Go to", actor, board, words), words, limit),
        group_of("Do", _entries("Do", actor, board, words), words, limit),
        group_of("Boards", [(_board(one), "board") for one in boards], words, most),
    ]
    if words:
        groups += await _found(actor, boards, query.strip(), words, most, limit)
        groups.sort(key=lambda group: group.rank)
        groups = [*await new_task(actor, boards, board, query.strip()), *groups]
    return _capped(groups, limit)


async def _found(
    actor: Actor, boards: Sequence[Board], query: str, words: Sequence[str], most: int, limit: int
) -> list[Group]:
    named = (
        ("Groups", await finding.find_groups(actor, words), "group"),
        ("Agents", await finding.find_agents(actor, boards, words), "agent"),
        ("Gateways", await finding.find_gateways(actor, words), "gateway openclaw"),
        ("People", await finding.find_people(actor, words), "people"),
    )
    groups = [
        group_of(title, [(hit, f"{hit.hint} {more}") for hit in hits], words, most) for title, hits, more in named
    ]
    tasks = await finding.find_tasks(boards, query)
    written = await finding.find_written(actor, query, most)
    return [*groups, Group("Tasks", tasks[:limit], 3), Group("Written", written, 4)]


def _capped(groups: Sequence[Group], limit: int) -> list[Group]:
    left, capped = limit, []
    for group in groups:
        capped.append(Group(group.title, group.hits[:left], group.rank))
        left -= len(capped[-1].hits)
    return [group for group in capped if group.hits]


def _entries(group: str, actor: Actor, board: Board | None, words: Sequence[str]) -> list[tuple[Hit, str]]:
    listed = [one for one in ENTRIES if one.group == group and (words or not one.searched_only)]
    found = sorted((one for one in listed if one.may(actor, board)), key=lambda one: one.position)
    return [(_hit(one, board), one.words) for one in found]


def _hit(entry: PaletteEntry, board: Board | None) -> Hit:
    label, url = entry.label, entry.url
    if board is not None:
        label, url = label.replace("{board}", board.name), url.replace("{board_id}", str(board.id))
    return Hit(label, url, entry.icon, "Settings" if url.startswith(f"{HOME}/") else "")


def _board(board: Board) -> Hit:
    return Hit(board.name, f"/boards/{board.id}", "square-kanban", "Board")
