"""Full-text search in tasks, comments, memory and approvals of the boards that the caller reaches."""

import asyncio
import re
import unicodedata
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, Page, Paging, Schema, page
from mission_control.database.sql import Row, Values, is_postgres, placeholders, rows, searched
from mission_control.http.operation_api import Api

api = Api(__name__, "search", who="actor")
SearchKind = Literal["task", "comment", "memory", "approval"]


class SearchQuery(Paging):
    """The words to find. Every one must occur; the last may be the beginning of a word.

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
WORD = re.compile(r"[^\W_]\w*")
# One statement finds the page and the total, which an empty page has as well.
PAGE = """
WITH hits AS MATERIALIZED (
    SELECT d.id, d.changed_at, {score} AS score
    FROM {source} JOIN boards b ON b.id = d.board_id LEFT JOIN tasks t ON t.id = d.task_id
    WHERE {where} AND (t.id IS NULL OR (t.deleted_at IS NULL AND t.archived_at IS NULL))
)
SELECT number.total, d.kind, d.thing_id AS id, d.board_id, b.name AS board_name, d.task_id, d.title,
    {body} AS body, d.changed_at
FROM (SELECT COUNT(*) AS total FROM hits) number
LEFT JOIN (SELECT * FROM hits ORDER BY score, changed_at DESC, id DESC LIMIT ? OFFSET ?) page ON TRUE
LEFT JOIN search_documents d ON d.id = page.id LEFT JOIN boards b ON b.id = d.board_id
ORDER BY page.score, page.changed_at DESC, page.id DESC
"""


@api.get("/search", Page[SearchHit])
async def search(actor: Actor, query: SearchQuery) -> JsonObject:
    """Search tasks, comments, memory and approvals on the boards that the caller reads."""
    return page(*await find_hits(actor, query), query)


async def find_hits(actor: Actor, query: SearchQuery) -> tuple[list[SearchHit], int]:
    """Return a page of hits, the best first, and how many there are."""
    words = _each_once(WORD.findall(query.q))
    readable = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if query.board_id is not None:
        readable = readable.filter(id=query.board_id)
    boards = [board.id for board in await readable.only("id")]
    if not words or not boards:
        return [], 0
    source, (match, sought), (score, weighed) = _postgres(words) if is_postgres() else _sqlite(words)
    where = f"{match} AND d.board_id IN ({placeholders(len(boards))})"
    values: Values = [*weighed, sought, *boards]
    if query.kind:
        where, values = f"{where} AND d.kind IN ({placeholders(len(query.kind))})", [*values, *query.kind]
    found = await rows(
        PAGE.format(source=source, score=score, where=where, body=searched("d.body")),
        *values,
        query.limit,
        query.offset,
    )
    hits: list[SearchHit] = []
    for row in found:
        if row["id"] is not None:
            hits.append(_hit(row, words))
            await asyncio.sleep(0)  # others go on while many long texts are read
    return hits, int(found[0]["total"])


def _each_once(words: list[str]) -> list[str]:
    """Return the words without repetitions, in their order. The last one is a prefix, so it is kept."""
    return [*dict.fromkeys(word for word in words[:-1] if word != words[-1]), *words[-1:]]


Plan = tuple[str, tuple[str, str], tuple[str, list[str]]]


def _sqlite(words: list[str]) -> Plan:
    expression = " ".join(f'"{word}"' for word in words) + "*"
    source = "search_words JOIN search_documents d ON d.id = search_words.rowid"
    return source, ("search_words MATCH ?", expression), ("bm25(search_words, 4.0, 1.0)", [])


def _postgres(words: list[str]) -> Plan:
    plain = [" <-> ".join(part for part in without_marks(word).split("_") if part) for word in words]
    expression = " & ".join([*plain[:-1], f"{plain[-1]}:*"])
    match = "d.words @@ to_tsquery('simple', ?)"
    return "search_documents d", (match, expression), ("-ts_rank(d.words, to_tsquery('simple', ?))", [expression])


def without_marks(word: str) -> str:
    """Return a word without combining marks, as FTS5's tokenizer and PostgreSQL's index see it."""
    return "".join(one for one in unicodedata.normalize("NFD", word) if not unicodedata.combining(one))


def _hit(row: Row, words: list[str]) -> SearchHit:
    kept = {name: row[name] for name in SearchHit.model_fields if name != "snippet"}
    return SearchHit(**kept, snippet=snippet(row["body"], words))


def snippet(text: str, words: list[str]) -> str:
    """Return at most 200 characters of a text around the first word found."""
    text = " ".join(text.split())
    lowered = text.lower()
    places = [place for word in words[:MOST_SOUGHT] if (place := lowered.find(word.lower())) >= 0]
    start = max(0, min(places, default=0) - 60)
    cut = text[start : start + SNIPPET_LENGTH]
    return ("…" if start else "") + cut + ("…" if start + SNIPPET_LENGTH < len(text) else "")
