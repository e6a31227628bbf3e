"""Questions of agents, as a kind of need."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from uuid import UUID

from mission_control.boards.queries import boards_with
from mission_control.core.actor import Actor, BoardLike
from mission_control.core.substance import Parts
from mission_control.needs import kinds
from mission_control.needs.pages import queue_row
from mission_control.needs.schemas import Need, NeedParty
from mission_control.needs.wording import choices, deadline_facts, fact, in_one_line, need
from mission_control.questions.commands import apply_deadline, go_on, held_question
from mission_control.questions.models import Question
from mission_control.questions.queries import Item, in_queue, items_of, parts_of_questions


class QuestionNeeds(kinds.NeedKind[Item]):
    """Questions of agents that a person may answer."""

    kind, group, position, title = "question", "answer", 20, "Questions of agents"
    brief = "asks a question"
    glyph = ("message-square", "ask")
    table = "agent_questions"
    concerns = ("question.", "board.")
    endings = {
        "question.closed": "closed this",
        "question.answered": "answered this",
        "question.withdrawn": "withdrew this",
        "question.ended_on_gateway": "closed this, as its gateway did,",
    }
    deadline = kinds.Deadline("state = 'open'", Question, apply_deadline, go_on)
    answers = kinds.Answers(
        at="answered_at",
        by="answered_by_user_id",
        where="state = 'answered' AND answered_by_user_id IS NOT NULL",
        otherwise="answered this",
    )

    def find(self, seeker: kinds.Seeker) -> Iterator[kinds.Rows]:
        yield kinds.Rows(
            "FROM agent_questions q JOIN mine ON mine.id = q.board_id WHERE q.state = 'open'",
            id="q.id",
            since="q.created_at",
            board_id="q.board_id",
            act_by="COALESCE(q.decide_by, q.expires_at)",
            version="CAST(q.created_at AS TEXT) || COALESCE(CAST(q.decide_by AS TEXT), '') ||"
            " COALESCE(CAST(q.reminded_at AS TEXT), '') || CAST((SELECT COUNT(*) FROM asked_people p"
            " WHERE p.kind = 'question' AND p.subject_id = q.id) AS TEXT)",
        )

    async def read(self, page: kinds.Page) -> Mapping[UUID, Item]:
        boards = await boards_with(page.board_ids)
        return {item.id: item for item in await items_of(page.actor, boards, page.ids)}

    def say(self, page: kinds.Page, key: kinds.Key, item: Item) -> Need:
        tasks, url = [item.task] if item.task else [], f"/boards/{item.board_id}/tasks/"
        about = [fact("circle-dot", f"#{task.number} {task.title}", url=f"{url}{task.id}") for task in tasks]
        return need(
            page,
            key,
            title=f"{item.agent_name} asks: {item.title}",
            reason=in_one_line(item.text),
            url=item.url,
            tasks=tasks,
            facts=[fact("bot", item.agent_name), *about, *deadline_facts(item.reminded_at, item.asked)],
            answers=choices(
                "answer_question",
                {"board_id": item.board_id, "question_id": item.id},
                item,
                f"{item.agent_name} reads it and goes on.",
            ),
            otherwise=item.without_answer,
            at=item.decide_by or item.expires_at,
            agent=NeedParty(id=item.agent_id, name=item.agent_name),
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_questions(subjects)

    async def hold(self, question_id: UUID) -> None:
        """Lock a question after its board."""
        question = await Question.get_or_none(id=question_id).select_related("board")
        if question is not None:
            await held_question(question)

    async def details(self, actor: Actor, board: BoardLike, question_id: UUID) -> kinds.Details:
        items = await items_of(actor, {board.id: board}, [question_id])
        return kinds.Details(says=items[0].text if items else "")

    async def in_words(self, actor: Actor, boards: kinds.Boards, ids: Sequence[UUID]) -> kinds.Words:
        return {
            item.id: kinds.AnswerWords(
                f"{item.agent_name} asks: {item.title}",
                item.url,
                (item.label_of(item.chosen_option_id) or item.answer or "")[:120],
            )
            for item in await items_of(actor, boards, ids)
        }

    async def queue_rows(self, actor: Actor, view: kinds.QueueView) -> list[kinds.QueueRow]:
        row = partial(queue_row, macro="questions/rows.html#question_row", next_url=view.url)
        return [row(item, item.is_open, show_board=view.show_board) for item in await in_queue(actor, view)]


QUESTIONS = QuestionNeeds()
