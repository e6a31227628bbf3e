"""Questions of agents that a person may answer, as a kind of asks."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from mission_control.asks.kinds import (
    Answers,
    AnswerWords,
    AskKind,
    Boards,
    Deadline,
    Details,
    Key,
    Page,
    QueueRow,
    QueueView,
    Rows,
    Seeker,
)
from mission_control.asks.saying import choices, deadline_facts, fact, in_one_line, need
from mission_control.asks.schemas import Need, NeedParty
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_with
from mission_control.core.actor import Actor
from mission_control.core.substance import Parts
from mission_control.home import question_queries
from mission_control.home.models import Question
from mission_control.home.question_commands import apply_deadline, held_question
from mission_control.home.question_queries import Item, parts_of_questions


class QuestionAsk(AskKind[Item]):
    """Questions of agents that a person may answer."""

    kind, group, position = "question", "answer", 20
    glyph = ("message-square", "ask")
    table = "agent_questions"
    concerns = ("question.", "board.")
    endings = {
        "question.closed": "closed this",
        "question.answered": "answered this",
        "question.withdrawn": "withdrew this",
        "question.ended_on_gateway": "closed this, as its gateway did,",
    }
    deadline = Deadline("state = 'open'", Question, apply_deadline)
    answers = Answers(
        at="answered_at",
        by="answered_by_user_id",
        where="state = 'answered' AND answered_by_user_id IS NOT NULL",
        otherwise="answered this",
    )

    def find(self, seeker: Seeker) -> Iterator[Rows]:
        yield Rows(
            "FROM agent_questions q JOIN mine ON mine.id = q.board_id WHERE q.state = 'open'",
            id="q.id",
            since="q.created_at",
            board_id="q.board_id",
            act_by="COALESCE(q.decide_by, q.expires_at)",
            version="CAST(q.created_at AS TEXT) || COALESCE(CAST(q.decide_by AS TEXT), '') ||"
            " COALESCE(CAST(q.reminded_at AS TEXT), '') || COALESCE(CAST(q.asked_user_id AS TEXT), '')",
        )

    async def read(self, page: Page) -> Mapping[UUID, Item]:
        boards = await boards_with(page.board_ids)
        return {item.id: item for item in await question_queries.items_of(page.actor, boards, page.ids)}

    def say(self, page: Page, key: Key, item: Item) -> Need:
        options = [(one["id"], one["label"], one["outcome"], bool(one["recommended"])) for one in item.options]
        return need(
            page,
            key,
            title=f"{item.asker} asks: {item.title}",
            reason=in_one_line(item.text),
            url=item.url,
            facts=[fact("bot", item.asker), *deadline_facts(item.reminded_at, item.asked_name)],
            answers=choices(
                "answer_question",
                {"board_id": item.board.id, "question_id": item.id},
                options,
                allows_text=item.allows_text,
                goes_on=f"{item.asker} goes on with this.",
                reads_words=f"{item.asker} reads it and goes on.",
            ),
            otherwise=item.without_answer,
            at=item.decide_by or item.expires_at,
            agent=NeedParty(id=item.asker_id, name=item.asker),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_questions(subjects)

    async def hold(self, question_id: UUID) -> None:
        """Lock a question after its board."""
        question = await Question.get_or_none(id=question_id).select_related("board")
        if question is not None:
            await held_question(question)

    async def details(self, actor: Actor, board: Board, question_id: UUID) -> Details:
        """Return all of a question's text."""
        item = await question_queries.item(actor, board, question_id)
        return Details(says=item.text if item is not None else "")

    async def in_words(self, actor: Actor, boards: Boards, ids: Sequence[UUID]) -> Mapping[UUID, AnswerWords]:
        items = await question_queries.items_of(actor, boards, list(ids))
        return {
            item.id: AnswerWords(f"{item.asker} asks: {item.title}", item.url, (item.chosen or item.answer)[:120])
            for item in items
        }

    async def queue_rows(self, actor: Actor, view: QueueView) -> list[QueueRow]:
        """Return the open questions of a queue's boards, and those answered since it was opened."""
        return await question_queries.in_queue(actor, view)


ASK = QuestionAsk()
