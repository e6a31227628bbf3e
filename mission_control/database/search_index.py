"""The index of the search: what texts are in it, and which of them have what somebody searches.

Triggers note in `search_pending` what was written; it is indexed beside the writes, many texts at once, and at the
latest when somebody searches. SQLite has the terms in FTS5, PostgreSQL in a tsvector: both get the same terms.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, NamedTuple
from uuid import UUID

from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from mission_control.core.text.terms import (
    Chunk,
    Compound,
    Run,
    compounds,
    has_keys,
    is_typo,
    joined,
    keys_of,
    keys_of_typos,
    pairs,
    parts,
    stems,
    terms_of,
    unique,
    whole,
)
from mission_control.database.sql import Condition, Row, as_id, in_list, is_postgres, place_in, rows, select

LONGEST_TEXT = 100_000  # characters of a text that are indexed
LIVING = "t.deleted_at IS NULL AND t.archived_at IS NULL"
# What is found, by its kind; a task that is not on its board is not, and neither are its comments.
SOURCES = {
    "task": (
        "SELECT t.id, t.board_id, t.id AS task_id, t.title, COALESCE(t.description, '') AS body, t.updated_at"
        f" AS changed_at FROM tasks t WHERE {LIVING}",
        "t",
    ),
    "comment": (
        "SELECT c.id, t.board_id, c.task_id, '' AS title, c.message AS body, c.created_at AS changed_at"
        f" FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE c.deleted_at IS NULL AND {LIVING}",
        "c",
    ),
    "memory": (
        "SELECT m.id, m.board_id, NULL AS task_id, '' AS title, m.content AS body, m.created_at AS changed_at"
        " FROM board_memory m WHERE TRUE",
        "m",
    ),
    "group_memory": (
        "SELECT m.id, NULL AS board_id, NULL AS task_id, '' AS title, m.content AS body, m.created_at AS changed_at"
        " FROM board_group_memory m WHERE TRUE",
        "m",
    ),
    "approval": (
        "SELECT a.id, a.board_id, NULL AS task_id, a.action_type AS title, COALESCE(a.payload ->> 'reason', '')"
        " || ' ' || COALESCE(a.note, '') AS body, a.created_at AS changed_at FROM approvals a WHERE TRUE",
        "a",
    ),
}
GONE = ""  # the kind of what was deleted for good: words that nothing else has are forgotten


@dataclass(frozen=True, slots=True)
class Text:
    id: UUID
    board_id: UUID | None
    task_id: UUID | None
    title: str
    body: str
    changed_at: datetime


async def texts(kind: str, ids: Collection[UUID], *, hold: bool = False) -> list[Text]:
    """Return what can be found of these; with `hold`, without what is being deleted."""
    sql, table = SOURCES[kind]
    listed, values = in_list(ids)
    lock = f" FOR KEY SHARE OF {table} SKIP LOCKED" if hold and is_postgres() else ""
    return await select(Text, f"{sql} AND {table}.id IN ({listed}){lock}", *values)


BATCH, BATCH_CHARACTERS = 200, 300_000
MOST_BEFORE_A_SEARCH = 2_000  # texts, the newest first; where more wait, a new index is being filled beside serving
_LOCK_KEY = 0x4D43_5345_4152

_log = logging.getLogger(__name__)


async def before_a_search() -> None:
    """Index what was written just now; while a new index is filled, only what was written last."""
    waiting = await rows("SELECT id FROM search_pending WHERE kind <> ? LIMIT ?", GONE, MOST_BEFORE_A_SEARCH + 1)
    if waiting:
        await catch_up(MOST_BEFORE_A_SEARCH if len(waiting) <= MOST_BEFORE_A_SEARCH else 1)


async def catch_up(most: int) -> int:
    """Index what was written and is not indexed yet, the newest first; return how many texts were."""
    done = 0
    while done < most and await rows("SELECT 1 FROM search_pending WHERE kind <> ? LIMIT 1", GONE):
        try:
            async with in_transaction():
                number = await _index_batch()
        except OperationalError:  # as on a full disk: what is indexed can be searched
            _log.exception("search.not_indexed")
            break
        if not number:
            break
        done += number
    return done


async def _index_batch() -> int:
    """Inside a transaction, which makes others wait for its end: index some texts."""
    await _alone()
    noted = await rows(
        "SELECT id, kind, thing_id FROM search_pending WHERE kind <> ? ORDER BY id DESC LIMIT ?", GONE, BATCH
    )
    by_kind: dict[str, dict[UUID, list[int]]] = {}
    for row in noted:
        thing_id = as_id(row["thing_id"])
        assert thing_id is not None
        by_kind.setdefault(row["kind"], {}).setdefault(thing_id, []).append(row["id"])
    number = 0
    for kind, things in by_kind.items():
        batch = _first_of(await texts(kind, things, hold=True), number)
        here = {text.id for text in batch}
        put_off = {text.id for text in await texts(kind, things.keys() - here)} if len(here) < len(things) else set()
        settled = [thing_id for thing_id in things if thing_id not in put_off]
        if not settled:
            continue
        await _forget("search_documents", "thing_id", settled)
        await _add(kind, batch)
        await _forget("search_pending", "id", [at for thing_id in settled for at in things[thing_id]])
        number += len(settled)
    return number


async def _alone() -> None:
    """Wait until no other process indexes; on SQLite each transaction is alone."""
    if is_postgres():
        await rows("SELECT pg_advisory_xact_lock(?)", _LOCK_KEY)


def _first_of(waiting: list[Text], number: int) -> list[Text]:
    size, taken = 0, list[Text]()
    for text in waiting:
        size += len(text.title) + min(len(text.body), LONGEST_TEXT)
        if size > BATCH_CHARACTERS and (taken or number):
            break
        taken.append(text)
    return taken


async def _forget(table: str, column: str, values: Sequence[Any]) -> None:
    listed, doubled = in_list(values)
    await rows(f"DELETE FROM {table} WHERE {column} IN ({listed})", *doubled)


async def _add(kind: str, batch: list[Text]) -> None:
    size = sum(len(text.body) for text in batch)
    read = await asyncio.to_thread(_terms_of_all, batch) if size > BATCH_CHARACTERS // 10 else _terms_of_all(batch)
    for text, (title, body, _) in zip(batch, read, strict=True):
        document = (text.id, kind, text.board_id, text.changed_at)
        columns = "INSERT INTO search_documents (thing_id, kind, board_id, changed_at"
        if is_postgres():
            words = "CAST(CAST(? AS TEXT) AS TSVECTOR)"
            await rows(f"{columns}, words) VALUES (?, ?, ?, ?, {words})", *document, _vector(title, body))
            continue
        [added] = await rows(f"{columns}) VALUES (?, ?, ?, ?) RETURNING id", *document)
        sql = "INSERT INTO search_words (rowid, title, body) VALUES (?, ?, ?)"
        await rows(sql, added["id"], " ".join(title), " ".join(body))
    await _learn({word for _, _, words in read for word in words})


def _terms_of_all(batch: list[Text]) -> list[tuple[list[str], list[str], set[str]]]:
    read = []
    for text in batch:
        (title, words), (body, more) = terms_of(text.title), terms_of(text.body[:LONGEST_TEXT])
        read.append((title, body, words | more))
    return read


LAST_PLACE = 16_000  # PostgreSQL counts no further


def _vector(title: list[str], body: list[str]) -> str:
    places: dict[str, list[str]] = {}
    for at, term in enumerate(title):
        places.setdefault(term, []).append(f"{at % LAST_PLACE + 1}A")
    for at, term in enumerate(body, len(title) + 1):
        places.setdefault(term, []).append(f"{at % LAST_PLACE + 1}B")
    return " ".join(f"'{term}':{','.join(where[:255])}" for term, where in places.items())


INSERT_WORD = "INSERT INTO search_vocabulary (word, keys) VALUES (?, ?)"


async def _learn(words: set[str]) -> None:
    if is_postgres():
        condition, sql = "word IN ({})", f"{INSERT_WORD} ON CONFLICT DO NOTHING"
    else:
        condition, sql = "search_vocabulary MATCH ?", INSERT_WORD
    for some in batched(sorted(words), BATCH, strict=False):
        listed, values = in_list(some) if is_postgres() else ("", [" OR ".join(f'"0{word}"' for word in some)])
        learned = await rows(f"SELECT word FROM search_vocabulary WHERE {condition.format(listed)}", *values)
        for word in {*some} - {row["word"] for row in learned}:
            keys = sorted(keys_of(word))
            await rows(sql, word, keys if is_postgres() else " ".join(keys))


async def forget_words() -> None:
    """Remove words from the vocabulary that no text has, if something was deleted for good."""
    gone = await rows("SELECT MAX(id) AS last FROM search_pending WHERE kind = ?", GONE)
    if gone[0]["last"] is None:
        return
    last: str | int = 0
    if is_postgres():
        key, last = "word", ""
        used = "SELECT 1 FROM search_documents d WHERE d.words @@ CAST(quote_literal(v.word) AS TSQUERY)"
    else:
        key = "rowid"
        used = "SELECT 1 FROM search_words WHERE search_words MATCH '\"' || v.word || '\"'"
    part = f"SELECT {key} AS key FROM search_vocabulary WHERE {key} > ? ORDER BY {key} LIMIT {BATCH}"
    while keys := [row["key"] for row in await rows(part, last)]:
        last = keys[-1]
        async with in_transaction():
            await _alone()
            listed, values = in_list(keys)
            unused = f"{key} IN ({listed}) AND NOT EXISTS ({used})"
            unused_words = await rows(f"SELECT {key} AS key FROM search_vocabulary v WHERE {unused}", *values)
            if unused_words:
                await _forget("search_vocabulary", key, [row["key"] for row in unused_words])
    await rows("DELETE FROM search_pending WHERE kind = ? AND id <= ?", GONE, gone[0]["last"])


async def note_missing() -> tuple[int, int]:
    """Note texts that are in the index no more, or not yet; return how many wait, and how many of them are new."""
    missing = 0
    for kind, (sql, _) in SOURCES.items():
        unknown = (
            f"SELECT id FROM ({sql}) texts EXCEPT SELECT thing_id FROM search_documents"
            " EXCEPT SELECT thing_id FROM search_pending"
        )
        added = await rows(
            f"INSERT INTO search_pending (kind, thing_id) SELECT '{kind}', id FROM ({unknown}) unknown RETURNING id"
        )
        missing += len(added)
    [waiting] = await rows("SELECT COUNT(*) AS n FROM search_pending WHERE kind <> ?", GONE)
    return int(waiting["n"]), missing


MOST_WORDS, MOST_VARIANTS = 10, 64


class Syntax(NamedTuple):
    """The query language of a database."""

    every: str
    either: str
    but: str
    word: str
    beginning: str
    neighbors: str


FTS5 = Syntax(" AND ", " OR ", "({}) NOT ({})", '"{}"', '"{}" *', " + ")
TSQUERY = Syntax(" & ", " | ", "({}) & !({})", "'{}'", "'{}':*", " <-> ")


@dataclass(frozen=True, slots=True)
class Variants:
    """The words of the vocabulary that a searched word stands for: with another ending, around it, misspelled."""

    related: tuple[str, ...] = ()
    misspelled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What a text asks for: what has exactly its words, and what has something like them, each without the former."""

    levels: tuple[str, ...]
    words: tuple[str, ...]  # that a text may have, the best first
    is_known: bool  # whether the vocabulary has each of its words


async def parsed_query(text: str) -> Query | None:
    everything = list(compounds(text))
    if not everything:
        return None
    terms = [
        part for at, part in enumerate(everything, 1) if part not in everything[at:]
    ]  # the last may be a beginning
    words = [word for compound in terms for word in _vocabulary_words(compound)]
    variants = await _variants(unique(words)[:MOST_WORDS])
    expressions = _Expressions(terms, variants)
    exact, *broader = unique(expressions.of_level(level) for level in range(3))
    narrower = [exact, *broader]
    levels = (exact, *(expressions.syntax.but.format(*pair) for pair in zip(broader, narrower, strict=False)))
    more = [word for variant in variants.values() for word in (*variant.related, *variant.misspelled)]
    runs = [whole(run) or run[0][1] for compound in terms for run in compound.runs]
    return Query(levels, tuple(unique([*runs, *more])), all(variant.related for variant in variants.values()))


def _vocabulary_words(compound: Compound) -> list[str]:
    single = [text for run in compound.runs if len(run) == 1 for kind, text in run if kind == "word"]
    return [word for word in (*single, joined(compound)) if word.isalpha() and has_keys(word)]


async def _variants(words: list[str]) -> dict[str, Variants]:
    selects, values = list[str](), list[object]()
    for word in words:
        for kind, keys in enumerate((parts(word), [f"1{stem}" for stem in stems(word)], keys_of_typos(word))):
            if keys:
                where, operands = _with_keys(kind, keys, word)
                selects.append(
                    f"SELECT * FROM (SELECT CAST(? AS TEXT) AS sought, {kind} AS kind, word FROM search_vocabulary"
                    f" WHERE {where} ORDER BY LENGTH(word), word LIMIT {MOST_VARIANTS}) one"
                )
                values += [word, *operands]
    matches = await rows(" UNION ALL ".join(selects), *values) if selects else []
    return {word: _sorted_out(word, [row for row in matches if row["sought"] == word]) for word in words}


def _with_keys(kind: int, keys: Collection[str], word: str) -> Condition:
    """Return the condition for words with all keys that have `word` in them (kind 0), else for those with any key."""
    if is_postgres():
        match, values = f"keys {'&&' if kind else '@>'} CAST(? AS TEXT[])", list[Any]([[*keys]])
    else:
        match = "search_vocabulary MATCH ?"
        values = [(" OR " if kind else " AND ").join(f'"{key}"' for key in sorted(keys))]
    return (match, values) if kind else (f"{match} AND {place_in('word')} > 0", [*values, word])


SURE = 8  # letters: a word of so many that lacks a letter of the other's and has one of its own is meant, too


def _sorted_out(word: str, matches: list[Row]) -> Variants:
    related = unique(row["word"] for row in matches if row["kind"] < 2)
    near = (row["word"] for row in matches if row["kind"] == 2 and row["word"] not in related)
    misspelled = unique(other for other in near if len(word) >= SURE or is_typo(word, other))
    return Variants(tuple(related), tuple(misspelled))


class _Expressions:
    """What compounds are in the database's language: exact (level 0), with related words (1), with misspelled (2)."""

    def __init__(self, terms: list[Compound], variants: dict[str, Variants]) -> None:
        self.syntax = TSQUERY if is_postgres() else FTS5
        self._terms, self._variants = terms, variants

    def of_level(self, level: int) -> str:
        return self.syntax.every.join(self._compound(part, level, part is self._terms[-1]) for part in self._terms)

    def _compound(self, compound: Compound, level: int, is_last: bool) -> str:
        runs = (self._run(run, level, is_last and run is compound.runs[-1]) for run in compound.runs)
        every = f"({self.syntax.every.join(runs)})"
        if level == 0 or not (term := joined(compound)):
            return every
        return f"({self.syntax.either.join([every, *self._term(term, level, is_last)])})"

    def _run(self, run: Run, level: int, is_last: bool) -> str:
        every = f"({self.syntax.every.join(self._chunk(chunk, level) for chunk in run)})"
        if not (term := whole(run)):
            return every
        options = self._term(term, level, is_last)
        if level and len(run) > 1:
            options.append(every)
            if [run[0], run[1][0]] == [("word", "v"), "number"] and len(run) == 2:  # a version
                options.append(self.syntax.word.format(run[1][1]))
        return f"({self.syntax.either.join(options)})"

    def _term(self, term: str, level: int, is_last: bool) -> list[str]:
        """Return a term with what counts as it on a level."""
        variants = self._variants.get(term, Variants())
        more = (*(variants.related if level else ()), *(variants.misspelled if level > 1 else ()))
        beginning = [self.syntax.beginning.format(term)] if level and is_last else []
        return [*beginning, *(self.syntax.word.format(word) for word in unique([term, *more]))]

    def _chunk(self, chunk: Chunk, level: int) -> str:
        """Return a part of a run; characters of a script without blanks stand beside each other, or somewhere."""
        kind, text = chunk
        if kind != "pairs":
            return self.syntax.word.format(text)
        if len(text) == 1:
            return self.syntax.beginning.format(text)
        words = [self.syntax.word.format(pair) for pair in pairs(text)[:-1]]
        return f"({(self.syntax.every if level else self.syntax.neighbors).join(words)})"


def hits(query: Query) -> Condition:
    """Return a statement for the number of each document that has what a query asks for, its level and its score."""
    values: list[object] = [*query.levels]
    if is_postgres():
        words = "CAST(CAST(? AS TEXT) AS TSQUERY)"
        select_level = (
            f"SELECT id, {{}} AS level, -ts_rank(words, {words}) AS score FROM search_documents WHERE words @@ {words}"
        )
        values = [expression for expression in query.levels for _ in range(2)]
    else:
        select_level = (
            "SELECT rowid AS id, {} AS level, bm25(search_words, 4.0, 1.0) AS score FROM search_words"
            " WHERE search_words MATCH ?"
        )
    return " UNION ALL ".join(select_level.format(level) for level in range(len(query.levels))), values


def _is_searchable(text: str) -> bool:
    chunks = (chunk for compound in compounds(text) for run in compound.runs for chunk in run)
    return any(kind == "pairs" or has_keys(characters) for kind, characters in chunks)


async def is_among(column: str, kind: str, text: str) -> Condition | None:
    """Return a condition: the thing whose id is in a column has the words of a text, or others of the same stem.

    Where nothing says which is the better hit, a word counts as misspelled only when there is no such word.
    """
    if not _is_searchable(text):
        return None
    await before_a_search()
    if (query := await parsed_query(text)) is None:
        return None
    levels = query.levels[: 2 if query.is_known else 3]
    where = "d.words @@ CAST(CAST(? AS TEXT) AS TSQUERY)" if is_postgres() else "search_words MATCH ?"
    words = "" if is_postgres() else " JOIN search_words ON search_words.rowid = d.id"
    of_level = f"SELECT d.thing_id FROM search_documents d{words} WHERE {where} AND d.kind = '{kind}'"
    return f"{column} IN ({' UNION ALL '.join([of_level] * len(levels))})", [*levels]
