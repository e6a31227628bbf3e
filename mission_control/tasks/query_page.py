"""What a board's page shows of its query: the tokens, what it offers while somebody types, and how much it finds."""

from dataclasses import dataclass
from typing import Any

from mission_control.boards.cards import people_of
from mission_control.boards.models import Board
from mission_control.database.sql import rows
from mission_control.tasks.board_view import PAGE, BoardView, on_board
from mission_control.tasks.card_filter import CardFilter
from mission_control.tasks.fields import Surface, shown_at
from mission_control.tasks.query_words import quoted
from mission_control.tasks.table import fields_of
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Region

QUERY = "boards/query.html"
MOST_TAGS = 100
FIELDS = shown_at(Surface.FILTER, "assignee", "due_at", "priority", "status")
FIXED = (
    *((f"{one.word}:{value}", about) for one in FIELDS[:4] for value, about in one.offers),
    ("is:open", "not done"),
    ("is:blocked", "waits for another task"),
    ("is:flagged", "flagged for a person"),
    ("needs:approval", "an approval waits"),
    ("needs:review", "a person reviews it"),
    ("needs:person", "approval, review or flag"),
    *((f"{one.word}:{value}", about) for one in FIELDS[4:] for value, about in one.offers),
)


@dataclass(frozen=True, slots=True)
class Query:
    """The query as the field shows it: what is understood as tokens, the rest as text."""

    words: list[tuple[str, str, str, str]]
    rest: str
    cleared: str


async def query_of(view: BoardView) -> Query:
    """Return the query of a page that is opened."""
    keys = {str(one["field_key"]).lower() for one in await fields(view)}
    words = view.wanted.words()
    known = [one for one in words if one.is_known or one.key in keys]
    url = f"/boards/{view.board.id}"
    return Query(
        [
            (
                one.raw,
                f"{'-' if one.is_excluded else ''}{one.key}:",
                ",".join(one.values),
                url + view.wanted.address(q=" ".join(other.raw for other in words if other is not one)),
            )
            for one in known
        ],
        " ".join(one.raw for one in words if one not in known),
        url + view.wanted.address(q="", all=""),
    )


async def fields(view: BoardView) -> list[dict[str, Any]]:
    """Return the custom fields of the board."""
    return await view.reads.get(("fields", view.board.id), lambda: fields_of(view.board))


async def _options(view: BoardView) -> str:
    """Return what the field offers while somebody types."""
    crew, people = await view.crew(), await people_of(view.board)
    named = [(f"assignee:{quoted(one['name'])}", "agent") for one in crew]
    named += [(f"assignee:{quoted(one['name'])}", "person") for one in people]
    named += [(f"tag:{quoted(one['name'])}", "tag") for one in await tags_of_organization(view.board)]
    own = [(f"{one['field_key']}:", one["label"]) for one in await fields(view)]
    return render_macro(QUERY, "choices", options=[*named, *FIXED, *own])


async def tags_of_organization(board: Board) -> list[dict[str, Any]]:
    """Return the tags that tasks of a board can have, by name."""
    return await rows(
        "SELECT id, name, color FROM tags WHERE organization_id = ? ORDER BY LOWER(name), id LIMIT ?",
        board.organization_id,
        MOST_TAGS,
    )


async def _count(view: BoardView) -> str:
    if not view.wanted.narrows:
        return ""
    counts = await view.counts()
    return render_macro(QUERY, "count", found=counts[view.wanted.text], all=counts[""], narrows=True)


def state_of(wanted: CardFilter) -> str:
    """Return the hidden inputs for what else the address says."""
    return render_macro(QUERY, "state", wanted=wanted)


REGIONS = (
    Region(
        PAGE,
        "#query-options",
        on_board("agent.created", "agent.updated", "agent.deleted"),
        _options,
        key=lambda view: (view.board.id,),
        swap="innerHTML",
    ),
    Region(PAGE, "#query-count", on_board("task.", "approval."), _count, key=lambda view: view.key, swap="innerHTML"),
)
