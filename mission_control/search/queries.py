"""Searching tasks, comments, memory and approvals of the boards that the caller reads."""

import re
import unicodedata
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.database.sql import is_postgres, placeholders, rows, wire_moment
from mission_control.search.schemas import SearchQuery

SNIPPET_LENGTH = 200
WORD = re.compile(r"[^\W_]\w*")
COLUMNS = "d.kind, d.thing_id AS id, d.board_id, b.name AS board_name, d.task_id, d.title, d.body, d.changed_at"
LIVE = " AND (t.id IS NULL OR (t.deleted_at IS NULL AND t.archived_at IS NULL))"


async def search(actor: Actor, query: SearchQuery) -> tuple[list[dict[str, Any]], int]:
    """The hits of one page, and how many there are."""
    words = _each_once(WORD.findall(query.q))
    boards = await _boards(actor, query.board_id)
    if not words or not boards:
        return [], 0
    source, match, rank = _postgres(words) if is_postgres() else _sqlite(words)
    where = f"{match[0]} AND d.board_id IN ({placeholders(len(boards))})"
    values = [match[1], *boards]
    if query.kind:
        where, values = f"{where} AND d.kind IN ({placeholders(len(query.kind))})", [*values, *query.kind]
    joined = (
        f"FROM {source} JOIN boards b ON b.id = d.board_id LEFT JOIN tasks t ON t.id = d.task_id WHERE {where}{LIVE}"
    )
    [total] = await rows(f"SELECT COUNT(*) AS n {joined}", *values)
    order, extra = rank
    page = f"SELECT {COLUMNS} {joined} ORDER BY {order}, d.changed_at DESC, d.id DESC LIMIT ? OFFSET ?"
    found = await rows(page, *values, *extra, query.limit, query.offset)
    return [_hit(row, words) for row in found], int(total["n"])


def _each_once(words: list[str]) -> list[str]:
    """The words in their order, of which the last one may go on: said again, a word finds no more and costs as much."""
    return [*dict.fromkeys(word for word in words[:-1] if word != words[-1]), *words[-1:]]


async def _boards(actor: Actor, board_id: UUID | None) -> list[UUID]:
    readable = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if board_id is not None:
        readable = readable.filter(id=board_id)
    return [board.id for board in await readable.only("id")]


Plan = tuple[str, tuple[str, str], tuple[str, list[str]]]


def _sqlite(words: list[str]) -> Plan:
    expression = " ".join(f'"{word}"' for word in words) + "*"
    source = "search_words JOIN search_documents d ON d.id = search_words.rowid"
    return source, ("search_words MATCH ?", expression), ("bm25(search_words, 4.0, 1.0)", [])


def _postgres(words: list[str]) -> Plan:
    plain = [" <-> ".join(part for part in without_marks(word).split("_") if part) for word in words]
    expression = " & ".join([*plain[:-1], f"{plain[-1]}:*"])
    match = "d.words @@ to_tsquery('simple', ?)"
    return "search_documents d", (match, expression), ("ts_rank(d.words, to_tsquery('simple', ?)) DESC", [expression])


def without_marks(word: str) -> str:
    """A word without its combining marks, as FTS5's tokenizer and the index on PostgreSQL see it."""
    return "".join(one for one in unicodedata.normalize("NFD", word) if not unicodedata.combining(one))


def _hit(row: dict[str, Any], words: list[str]) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "id": row["id"],
        "board_id": row["board_id"],
        "board_name": row["board_name"],
        "task_id": row["task_id"],
        "title": row["title"],
        "snippet": snippet(row["body"], words),
        "changed_at": wire_moment(row["changed_at"]),
    }


def snippet(text: str, words: list[str]) -> str:
    """At most 200 characters of a text, around the first word that was looked for."""
    text = " ".join(text.split())
    places = [found.start() for word in words if (found := re.search(re.escape(word), text, re.IGNORECASE))]
    start = max(0, min(places, default=0) - 60)
    cut = text[start : start + SNIPPET_LENGTH]
    return ("…" if start else "") + cut + ("…" if start + SNIPPET_LENGTH < len(text) else "")
