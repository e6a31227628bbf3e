"""Read questions: who may, lists, rows as they are answered, and as people's queue shows them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.boards.queries import on_visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, BoardLike, OnlySystem, rule
from mission_control.core.errors import NotFound
from mission_control.core.substance import Parts, substance_of
from mission_control.core.values import ActorRef
from mission_control.database.sql import Row, Values, as_json, placeholders, rows, select
from mission_control.http.registry import lookup
from mission_control.needs.kinds import MOST_QUEUED, QueueView
from mission_control.needs.recipients import FIRST_ASKED, AskedPersonRead, asked_people
from mission_control.needs.schemas import NeedTask
from mission_control.people.accounts.names import person_name
from mission_control.questions.models import Question
from mission_control.questions.schemas import QuestionQuery, QuestionRead


@rule("question.ask")
def may_ask(actor: Actor, board: Board) -> bool:
    """Allow every agent of the board."""
    return actor.is_agent and actor.writes(board)


@rule("question.ask_as_lead")
def may_ask_as_lead(actor: Actor, board: Board) -> bool:
    """Allow the lead of the board, for the operation inherited from the predecessor."""
    return may_ask(actor, board) and actor.is_lead


@rule("question.answer")
def may_answer(actor: Actor, question: Question) -> bool:
    """Allow people who can write on the board."""
    return actor.is_user and actor.writes(question.board)


ONLY_SYSTEM = OnlySystem("question.apply_deadline")


@rule("question.withdraw")
def may_withdraw(actor: Actor, question: Question) -> bool:
    """Allow the asker and the current lead of the board."""
    return may_ask(actor, question.board) and (actor.is_lead or question.agent_id == actor.agent_id)


STATE = "CASE WHEN q.closed_at IS NULL THEN q.state ELSE 'closed' END"
_SELECT = (
    "SELECT q.id, q.board_id, q.agent_id, q.agent_name, q.content, q.correlation_id, q.preferred_channel,"
    f" q.reply_tags, q.reply_source, {STATE} AS state, q.answer, q.answered_by_user_id, q.answered_at, q.created_at,"
    " q.options, q.allows_text, q.chosen_option_id, q.gateway_id, q.expires_at, q.answer_state, q.decide_by,"
    " q.otherwise, q.otherwise_user_id, q.otherwise_option_id, q.reminded_at, q.run_id,"
    f" {FIRST_ASKED.format(kind='question', x='q')} AS asked_user_id,"
    " q.closed_reason, q.closed_at, t.id AS task_id, t.number AS task_number, t.title AS task_title,"
    " t.status AS task_status,"
    f" b.name AS board_name, {person_name('o', 'Another person')} AS other_name,"
    f" CASE WHEN q.state = 'answered' THEN COALESCE({person_name('u')}, q.answered_by_name, 'User') END"
    " AS answered_by_name FROM agent_questions q JOIN boards b ON b.id = q.board_id"
    " LEFT JOIN users u ON u.id = q.answered_by_user_id LEFT JOIN users o ON o.id = q.otherwise_user_id"
    " LEFT JOIN task_runs x ON x.id = q.run_id"
    " LEFT JOIN tasks t ON t.id = x.task_id"
)
ANSWER = set(QuestionRead.model_fields)
TITLE_LENGTH = 140


class Item(QuestionRead):
    """A question with what people's queue shows. The statement has no columns for what has a default here."""

    options: list[Any]
    board_name: str
    answered_by_user_id: UUID | None
    other_name: str
    asked: list[AskedPersonRead] = []
    task_number: int | None
    task_title: str | None
    task_status: str | None
    may_answer: bool = False
    answered_by: ActorRef | None = None
    substance: str | None = None

    @property
    def title(self) -> str:
        return split_heading(self.content)[0]

    @property
    def text(self) -> str:
        return split_heading(self.content)[1]

    @property
    def url(self) -> str:
        return f"/boards/{self.board_id}/questions/{self.id}"

    @property
    def task(self) -> NeedTask | None:
        if self.task_id is None:
            return None
        return NeedTask(
            id=self.task_id, number=self.task_number or 0, title=self.task_title or "", status=self.task_status or ""
        )

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def has_expired(self) -> bool:
        """Whether its gateway no longer takes an answer."""
        return self.expires_at is not None and self.expires_at <= times.clock_now()

    @property
    def without_answer(self) -> str:
        if self.expires_at is not None:
            return f"The gateway goes on without an answer for {self.agent_name}."
        if self.decide_by is not None:
            taken = f"“{self.label_of(self.otherwise_option_id)}” is taken."
            outcomes = {"option": taken, "ask": f"{self.other_name} is asked."}
            return outcomes.get(self.otherwise or "", "Everybody who can answer is reminded.")
        waits = self.agent_name if self.task_id is None else f"#{self.task_number}"
        return f"It stays here; {waits} waits until somebody answers."

    def label_of(self, option_id: str | None) -> str:
        return next((option["label"] for option in self.options if option["id"] == option_id), "")


async def _items(where: str, *values: object) -> list[Item]:
    items = await select(Item, f"{_SELECT} WHERE {where}", *values)
    people = await asked_people("question", [item.id for item in items if item.asked_user_id is not None])
    for item in items:
        item.asked = people.get(item.id, [])
        item.options = item.options or []
        if item.answered_by_user_id is not None:
            item.answered_by = ActorRef(kind="user", id=item.answered_by_user_id, name=item.answered_by_name or "")
        if item.is_open:
            item.substance = substance_of(parts_of(item.content, item.options, item.allows_text))
    return items


@lookup
async def visible_question(actor: Actor, board_id: UUID, question_id: UUID) -> Question:
    return await on_visible_board(Question, actor, board_id, question_id)


async def list_questions(board: Board, query: QuestionQuery) -> tuple[list[Row], int]:
    where = "q.board_id = ?"
    values: Values = [board.id]
    if query.state is not None:
        where, values = f"{where} AND {STATE} = ?", [*values, query.state]
    [total] = await rows(f"SELECT COUNT(*) AS n FROM agent_questions q WHERE {where}", *values)
    page = f"{where} ORDER BY q.created_at DESC, q.id DESC LIMIT ? OFFSET ?"
    items = await _items(page, *values, query.limit, query.offset)
    return [item.model_dump(include=ANSWER) for item in items], int(total["n"])


async def read_question(question_id: UUID) -> Row:
    items = await _items("q.id = ?", question_id)
    if not items:
        raise NotFound()
    return items[0].model_dump(include=ANSWER)


async def parts_of_questions(question_ids: Sequence[UUID]) -> dict[UUID, Parts]:
    if not question_ids:
        return {}
    listed = placeholders(len(question_ids))
    questions = await rows(
        f"SELECT id, content, options, allows_text FROM agent_questions WHERE id IN ({listed})", *question_ids
    )
    return {
        UUID(str(row["id"])): parts_of(row["content"], as_json(row["options"]) or [], row["allows_text"])
        for row in questions
    }


def parts_of(content: object, options: Iterable[Mapping[str, object]], allows_text: object) -> Parts:
    choice = [f"{option['label']} ({option.get('outcome') or option['id']})" for option in options]
    return {"question": content, "choice": [*choice, *(["your own words"] if allows_text else [])]}


async def item_of(actor: Actor, question: Question) -> Item | None:
    items = await items_of(actor, {question.board_id: question.board}, [question.id])
    return items[0] if items else None


async def items_of(actor: Actor, boards: Mapping[UUID, BoardLike], question_ids: Sequence[UUID]) -> list[Item]:
    if not question_ids:
        return []
    return await _shown(actor, boards, f"q.id IN ({placeholders(len(question_ids))})", *question_ids)


async def in_queue(actor: Actor, view: QueueView) -> list[Item]:
    """Return the open questions of a queue's boards, and those answered or closed since it was opened."""
    if not view.boards:
        return []
    boards = {board.id: board for board in view.boards}
    here = f"SELECT p.id FROM agent_questions p WHERE p.board_id IN ({placeholders(len(boards))}) AND"
    ways: tuple[tuple[str, list[object]], ...] = (
        (f"{here} p.state = 'open' ORDER BY p.created_at, p.id LIMIT {MOST_QUEUED}", []),
        (f"{here} p.answered_at >= ? ORDER BY p.answered_at DESC LIMIT {MOST_QUEUED}", [view.opened]),
        (f"{here} p.closed_at >= ? ORDER BY p.closed_at DESC LIMIT {MOST_QUEUED}", [view.opened]),
    )
    ids = " UNION ALL ".join(f"SELECT id FROM ({sql}) way" for sql, _ in ways)
    values = [value for _, since in ways for value in (*boards, *since)]
    return await _shown(actor, boards, f"q.id IN ({ids}) ORDER BY q.created_at, q.id", *values)


async def _shown(actor: Actor, boards: Mapping[UUID, BoardLike], where: str, *values: object) -> list[Item]:
    items = await _items(where, *values)
    for item in items:
        item.may_answer = actor.is_user and actor.writes(boards[item.board_id])
    return items


def split_heading(content: str) -> tuple[str, str]:
    """Split a question into a heading (its first line) and the rest; the rest is all of it if the line is too long."""
    line, _, rest = content.strip().partition("\n")
    if len(line) <= TITLE_LENGTH:
        return line.strip(), rest.strip()
    return line[: TITLE_LENGTH - 1].rstrip() + "…", content
