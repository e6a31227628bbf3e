"""Read questions: who may, lists, rows as they are answered, and as people's queue shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup

from mission_control.asks.kinds import QueueRow, QueueView
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, Rules
from mission_control.core.errors import NotFound
from mission_control.core.substance import Parts, substance_of
from mission_control.core.times import clock_now as now
from mission_control.database.sql import Row, Values, as_id, as_json, as_moment, placeholders, rows, wire_moment
from mission_control.home.models import Question
from mission_control.home.question_schemas import QuestionQuery
from mission_control.http.registry import lookup
from mission_control.people.account_names import person_name
from mission_control.web.fragments import render_macro

rules = Rules()


@rules.rule("question.ask")
def may_ask(actor: Actor, board: Board) -> bool:
    """Allow every agent of the board."""
    return actor.is_agent and actor.writes(board)


@rules.rule("question.ask_as_lead")
def may_ask_as_lead(actor: Actor, board: Board) -> bool:
    """Allow the lead of the board, for the operation inherited from the predecessor."""
    return may_ask(actor, board) and actor.is_lead


@rules.rule("question.answer")
def may_answer(actor: Actor, question: Question) -> bool:
    """Allow people who can write on the board."""
    return actor.is_user and actor.writes(question.board)


rules.for_system("question.apply_deadline")


@rules.rule("question.withdraw")
def may_withdraw(actor: Actor, question: Question) -> bool:
    """Allow the asker and the current lead of the board."""
    return may_ask(actor, question.board) and (actor.is_lead or question.agent_id == actor.agent_id)


STATE = "CASE WHEN q.closed_at IS NULL THEN q.state ELSE 'closed' END"
SELECT = (
    "SELECT q.id, q.board_id, q.agent_id, q.agent_name, q.content, q.correlation_id, q.preferred_channel,"
    f" q.reply_tags, q.reply_source, {STATE} AS state, q.answer, q.answered_by_user_id, q.answered_at, q.created_at,"
    " q.options, q.allows_text, q.chosen_option_id,"
    " q.gateway_id, q.expires_at, q.answer_state, q.decide_by, q.otherwise, q.otherwise_user_id,"
    " q.otherwise_option_id, q.reminded_at, q.asked_user_id, q.run_id, q.closed_reason, q.closed_at,"
    " (SELECT x.task_id FROM task_runs x WHERE x.id = q.run_id) AS task_id,"
    f" {person_name('o')} AS other_name, {person_name('k')} AS asked_name,"
    f" COALESCE({person_name('u')}, q.answered_by_name, 'User') AS answered_by_name"
    " FROM agent_questions q LEFT JOIN users u ON u.id = q.answered_by_user_id"
    " LEFT JOIN users o ON o.id = q.otherwise_user_id LEFT JOIN users k ON k.id = q.asked_user_id"
)


@lookup
async def visible_question(actor: Actor, board_id: UUID, question_id: UUID) -> Question:
    """Return a question on a board visible to the actor. Otherwise: NotFound."""
    board = await visible_board(actor, board_id)
    question = await Question.get_or_none(id=question_id, board_id=board.id)
    if question is None:
        raise NotFound()
    question.board = board
    return question


async def list_questions(board: Board, query: QuestionQuery) -> tuple[list[Row], int]:
    """Return the board's questions, newest first, and their number."""
    where = " WHERE q.board_id = ?"
    values: Values = [board.id]
    if query.state is not None:
        where, values = where + f" AND {STATE} = ?", [*values, query.state]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM agent_questions q{where}", *values)
    page = f"{SELECT}{where} ORDER BY q.created_at DESC, q.id DESC LIMIT ? OFFSET ?"
    found = await rows(page, *values, query.limit, query.offset)
    return [serialize_question(row) for row in found], int(total["n"])


async def read_question(question_id: UUID) -> Row:
    found = await rows(f"{SELECT} WHERE q.id = ?", question_id)
    if not found:
        raise NotFound()
    return serialize_question(found[0])


async def parts_of_questions(question_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    if not question_ids:
        return {}
    listed = placeholders(len(question_ids))
    found = await rows(
        f"SELECT id, content, options, allows_text FROM agent_questions WHERE id IN ({listed})", *question_ids
    )
    return {UUID(str(row["id"])): parts_of(row) for row in found}


def parts_of(row: Row) -> Parts:
    choice = [f"{one['label']} ({one.get('outcome') or one['id']})" for one in as_json(row["options"]) or []]
    return {"question": row["content"], "choice": [*choice, *(["your own words"] if row["allows_text"] else [])]}


def serialize_question(row: Row) -> Row:
    """Serialize a row of `SELECT`."""
    by = row["answered_by_user_id"]
    return {
        "id": row["id"],
        "board_id": row["board_id"],
        "agent_id": row["agent_id"],
        "agent_name": row["agent_name"],
        "content": row["content"],
        "correlation_id": row["correlation_id"],
        "preferred_channel": row["preferred_channel"],
        "reply_tags": as_json(row["reply_tags"]),
        "reply_source": row["reply_source"],
        "state": row["state"],
        "answer": row["answer"],
        "answered_by": None if by is None else {"kind": "user", "id": by, "name": row["answered_by_name"]},
        "answered_at": wire_moment(row["answered_at"]),
        "created_at": wire_moment(row["created_at"]),
        "run_id": row["run_id"],
        "task_id": row["task_id"],
        "closed_reason": row["closed_reason"],
        "closed_at": wire_moment(row["closed_at"]),
        "options": as_json(row["options"]) or [],
        "allows_text": bool(row["allows_text"]),
        "chosen_option_id": row["chosen_option_id"],
        "gateway_id": row["gateway_id"],
        "expires_at": wire_moment(row["expires_at"]),
        "answer_state": row["answer_state"],
        "decide_by": wire_moment(row["decide_by"]),
        "otherwise": row["otherwise"],
        "otherwise_user_id": row["otherwise_user_id"],
        "otherwise_option_id": row["otherwise_option_id"],
        "reminded_at": wire_moment(row["reminded_at"]),
        "asked_user_id": row["asked_user_id"],
        "answered_by_name": row["answered_by_name"] if row["state"] == "answered" else None,
        "substance": substance_of(parts_of(row)) if row["state"] == "open" else None,
    }


LIMIT = 200
TITLE_LENGTH = 140
TEMPLATE = "questions/rows.html"


@dataclass(frozen=True, slots=True)
class Item:
    """One question, ready to be shown."""

    id: UUID
    board: Board
    title: str
    text: str
    asker: str
    asker_id: UUID | None
    channel: str
    state: str
    answer: str
    answered_by: str
    answered_at: datetime | None
    created_at: datetime
    may_answer: bool
    options: list[dict[str, Any]]
    allows_text: bool
    chosen: str
    expires_at: datetime | None
    answer_state: str
    decide_by: datetime | None
    otherwise: str
    other_name: str
    otherwise_label: str
    reminded_at: datetime | None
    asked_name: str
    substance: str
    closed_reason: str

    @property
    def url(self) -> str:
        """Return the address of the question's page."""
        return f"/boards/{self.board.id}/questions/{self.id}"

    @property
    def has_expired(self) -> bool:
        """Return whether its gateway no longer takes an answer."""
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def without_answer(self) -> str:
        """Return what happens when nobody answers."""
        if self.expires_at is not None:
            return f"The gateway goes on without an answer for {self.asker}."
        if self.decide_by is not None:
            said = {"option": f"“{self.otherwise_label}” is taken.", "ask": f"{self.other_name} is asked."}
            return said.get(self.otherwise, "Everybody who can answer is reminded.")
        return f"It stays here; {self.asker} waits until somebody answers."

    @property
    def is_open(self) -> bool:
        return self.state == "open"


async def item(actor: Actor, board: Board, question_id: UUID) -> Item | None:
    found = await rows(f"{SELECT} WHERE q.id = ? AND q.board_id = ?", question_id, board.id)
    return _item(actor, board, found[0]) if found else None


async def items_of(actor: Actor, boards: Mapping[UUID, Board], question_ids: list[UUID]) -> list[Item]:
    if not question_ids:
        return []
    found = await rows(f"{SELECT} WHERE q.id IN ({placeholders(len(question_ids))})", *question_ids)
    return [_item(actor, boards[UUID(str(row["board_id"]))], row) for row in found]


async def in_queue(actor: Actor, queue_view: QueueView) -> list[QueueRow]:
    """Return the open questions of a queue's boards, and those answered since it was opened."""
    if not queue_view.boards:
        return []
    known = {board.id: board for board in queue_view.boards}
    found = await rows(
        f"{SELECT} WHERE q.board_id IN ({placeholders(len(known))}) AND (q.state = 'open' OR q.answered_at >= ?"
        " OR q.closed_at >= ?)"
        f" ORDER BY q.created_at, q.id LIMIT {LIMIT}",
        *known,
        queue_view.opened,
        queue_view.opened,
    )
    items = [_item(actor, known[UUID(str(row["board_id"]))], row) for row in found]
    return [QueueRow(one.created_at, one.is_open, _html(one, queue_view)) for one in items]


def _html(one: Item, queue_view: QueueView) -> Markup:
    return Markup(
        render_macro(TEMPLATE, "question_row", item=one, next_url=queue_view.url, show_board=queue_view.show_board)
    )


def _item(actor: Actor, board: Board, row: Row) -> Item:
    title, text = split_heading(row["content"])
    return Item(
        id=UUID(str(row["id"])),
        board=board,
        title=title,
        text=text,
        asker=row["agent_name"],
        asker_id=as_id(row["agent_id"]),
        channel=row["preferred_channel"] or "",
        state=row["state"],
        answer=row["answer"] or "",
        answered_by=row["answered_by_name"],
        answered_at=as_moment(row["answered_at"]),
        created_at=as_moment(row["created_at"]) or now(),
        may_answer=actor.is_user and actor.writes(board),
        options=(options := as_json(row["options"]) or []),
        allows_text=bool(row["allows_text"]),
        chosen=next((one["label"] for one in options if one["id"] == row["chosen_option_id"]), ""),
        expires_at=as_moment(row["expires_at"]),
        answer_state=row["answer_state"] or "",
        decide_by=as_moment(row["decide_by"]),
        otherwise=row["otherwise"] or "",
        other_name=row["other_name"] or "Another person",
        otherwise_label=next((one["label"] for one in options if one["id"] == row["otherwise_option_id"]), ""),
        reminded_at=as_moment(row["reminded_at"]),
        asked_name=row["asked_name"] or "",
        substance=substance_of(parts_of(row)),
        closed_reason=row["closed_reason"] or "",
    )


def split_heading(content: str) -> tuple[str, str]:
    """Split a question into a heading (its first line) and the rest; the rest is all of it if the line is too long."""
    line, _, rest = content.strip().partition("\n")
    if len(line) <= TITLE_LENGTH:
        return line.strip(), rest.strip()
    return line[: TITLE_LENGTH - 1].rstrip() + "…", content
