"""Full-text search in tasks, comments, memory and approvals of the boards that the caller reaches."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from pydantic import Field

from mission_control.background.loops import Loop
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.text.terms import folded
from mission_control.core.values import JsonObject, Page, Paging, Schema, page
from mission_control.database import search_index
from mission_control.database.sql import SEARCHED, Row, in_list, placeholders, rows
from mission_control.http.operation_api import Api

api = Api(__name__, "search", who="actor")
SearchKind = Literal["task", "comment", "memory", "approval"]


class SearchQuery(Paging):
    """The words to find. Every one must occur, as it is or, further behind, with another ending, in a longer word, or
    misspelled by a letter.

    Of a longer text the first 100,000 characters are searched.
    """

    q: str = Field(min_length=1, max_length=500)
    kind: list[SearchKind] = Field(default_factory=list)
    board_id: UUID | None = None
    limit: int = Field(20, ge=1, le=100)


class SearchHit(Schema):
    """A hit. `snippet` is plain text around the first word found."""

    kind: SearchKind
    id: UUID
    board_id: UUID
    board_name: str
    task_id: UUID | None
    title: str
    snippet: str
    changed_at: datetime


SNIPPET_LENGTH = 200
MOST_SOUGHT = 10  # words
# One statement finds the page and the total, which an empty page has as well.
PAGE = """
WITH hits AS MATERIALIZED (
    SELECT d.id, d.changed_at, found.level, found.score FROM ({found}) found JOIN search_documents d ON d.id = found.id
    WHERE {where}
)
SELECT number.total, d.kind, d.thing_id AS id, d.board_id, b.name AS board_name
FROM (SELECT COUNT(*) AS total FROM hits) number
LEFT JOIN (SELECT * FROM hits ORDER BY level, score, changed_at DESC, id DESC LIMIT ? OFFSET ?) page ON TRUE
LEFT JOIN search_documents d ON d.id = page.id LEFT JOIN boards b ON b.id = d.board_id
ORDER BY page.level, page.score, page.changed_at DESC, page.id DESC
"""


@api.get("/search", Page[SearchHit])
async def search(actor: Actor, query: SearchQuery) -> JsonObject:
    """Search tasks, comments, memory and approvals on the boards that the caller reads."""
    return page(*await find_hits(actor, query), query)


async def find_hits(actor: Actor, query: SearchQuery) -> tuple[list[SearchHit], int]:
    readable = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if query.board_id is not None:
        readable = readable.filter(id=query.board_id)
    boards = [board.id for board in await readable.only("id")]
    await search_index.before_a_search()
    wanted = await search_index.parsed_query(query.q)
    if wanted is None or not boards:
        return [], 0
    found, sought = search_index.hits(wanted)
    listed, on_boards = in_list(boards)
    kinds = query.kind or list(get_args(SearchKind))
    where = f"d.board_id IN ({listed}) AND d.kind IN ({placeholders(len(kinds))})"
    sql = PAGE.format(found=found, where=where)
    page_of = await rows(sql, *sought, *on_boards, *kinds, query.limit, query.offset)
    return await _read([row for row in page_of if row["id"] is not None], wanted.words), int(page_of[0]["total"])


async def _read(found: list[Row], words: Sequence[str]) -> list[SearchHit]:
    texts = {
        text.id: text
        for kind in {row["kind"] for row in found}
        for text in await search_index.texts(kind, [UUID(str(row["id"])) for row in found if row["kind"] == kind])
    }
    hits: list[SearchHit] = []
    for row in found:
        if (text := texts.get(UUID(str(row["id"])))) is not None:
            about = {"task_id": text.task_id, "title": text.title, "changed_at": text.changed_at}
            hits.append(SearchHit(**row | about, snippet=snippet(text.body[:SEARCHED], words)))
            await asyncio.sleep(0)  # others go on while many long texts are read
    return hits


def snippet(text: str, words: Sequence[str]) -> str:
    text = " ".join(text.split())
    plain = folded(text)
    places = [place for word in words[:MOST_SOUGHT] if (place := plain.find(word)) >= 0]
    start = max(0, min(places, default=0) - 60)
    cut = text[start : start + SNIPPET_LENGTH]
    return ("…" if start else "") + cut + ("…" if start + SNIPPET_LENGTH < len(text) else "")


async def index() -> None:
    """Index what was written since, and forget words that no text has."""
    if await rows("SELECT 1 FROM search_pending LIMIT 1"):
        await search_index.catch_up(most=MOST_AT_ONCE)
        await search_index.forget_words()


MOST_AT_ONCE = 1_000_000
INDEXING = Loop(name="indexing texts for the search", look=index, pause=15.0)
