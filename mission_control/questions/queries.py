"""Read questions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from tortoise.expressions import Subquery

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.substance import Parts, substance_of
from mission_control.database.sql import as_json, placeholders, rows, wire_moment
from mission_control.questions.models import Question
from mission_control.questions.schemas import QuestionQuery

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


async def visible_question(actor: Actor, board_id: UUID, question_id: UUID) -> Question:
    """Return a question on a board visible to the actor. Otherwise: NotFound."""
    board = await visible_board(actor, board_id)
    question = await Question.get_or_none(id=question_id, board_id=board.id)
    if question is None:
        raise NotFound()
    question.board = board
    return question


async def list_questions(board: Board, query: QuestionQuery) -> tuple[list[dict[str, Any]], int]:
    """Return the board's questions, newest first, and their number."""
    where, values = " WHERE q.board_id = ?", list[Any]([board.id])
    if query.state is not None:
        where, values = where + f" AND {STATE} = ?", [*values, query.state]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM agent_questions q{where}", *values)
    page = f"{SELECT}{where} ORDER BY q.created_at DESC, q.id DESC LIMIT ? OFFSET ?"
    found = await rows(page, *values, query.limit, query.offset)
    return [serialize_question(row) for row in found], int(total["n"])


async def read_question(question_id: UUID) -> dict[str, Any]:
    """Serialize one question."""
    found = await rows(f"{SELECT} WHERE q.id = ?", question_id)
    if not found:
        raise NotFound()
    return serialize_question(found[0])


async def open_for(actor: Actor) -> int:
    """Count the open questions on boards that the actor reads, in the active organization."""
    boards = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    return await Question.filter(state="open", board_id__in=Subquery(boards.values("id"))).count()


async def parts_of_questions(question_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    """Return what questions ask for, by their ids."""
    if not question_ids:
        return {}
    listed = placeholders(len(question_ids))
    found = await rows(
        f"SELECT id, content, options, allows_text FROM agent_questions WHERE id IN ({listed})", *question_ids
    )
    return {UUID(str(row["id"])): parts_of(row) for row in found}


def parts_of(row: dict[str, Any]) -> Parts:
    """Return what the question of a row asks for."""
    choice = [f"{one['label']} ({one.get('outcome') or one['id']})" for one in as_json(row["options"]) or []]
    return {"question": row["content"], "choice": [*choice, *(["your own words"] if row["allows_text"] else [])]}


def serialize_question(row: dict[str, Any]) -> dict[str, Any]:
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
