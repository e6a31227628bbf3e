"""Questions of agents that a person may answer."""

from typing import Any
from uuid import UUID

from mission_control.needs.kinds import Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, deadline_facts, fact, in_one_line, need, operation
from mission_control.needs.schemas import Need, NeedAnswer, NeedOtherwise, NeedParty
from mission_control.questions import queue
from mission_control.questions.commands import held_question
from mission_control.questions.models import Question
from mission_control.questions.queries import parts_of_questions
from mission_control.questions.queue import Item

WORDS = ("answer", "Your answer", True)
MORE = ("answer", "Anything to add?", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find open questions."""
    return (
        "SELECT 'question' AS kind, q.id AS id, q.created_at AS since, q.board_id AS board_id,"
        " CAST(NULL AS UUID) AS owner_id, COALESCE(q.decide_by, q.expires_at) AS act_by,"
        " CAST(q.created_at AS TEXT) || COALESCE(CAST(q.decide_by AS TEXT), '') ||"
        " COALESCE(CAST(q.reminded_at AS TEXT), '') || COALESCE(CAST(q.asked_user_id AS TEXT), '') AS version"
        " FROM agent_questions q JOIN mine ON mine.id = q.board_id WHERE q.state = 'open'",
        [],
    )


async def say(page: Page) -> list[Need]:
    """Say each question with its options."""
    items = {item.id: item for item in await queue.items_of(page.actor, page.boards, page.ids)}
    return [_need(page, key, items[key.id]) for key in page.keys if key.id in items]


def _need(page: Page, key: Key, item: Item) -> Need:
    return need(
        page,
        key,
        title=f"{item.asker} asks: {item.title}",
        reason=in_one_line(item.text),
        url=item.url,
        facts=[fact("bot", item.asker), *deadline_facts(item.reminded_at, item.asked_name)],
        answers=answers_of(item),
        otherwise=NeedOtherwise(at=item.decide_by or item.expires_at, text=item.without_answer),
        agent=NeedParty(id=item.asker_id, name=item.asker),
    )


def answers_of(item: Item) -> list[NeedAnswer]:
    """Return the options, by number, and an answer in one's own words where that is allowed."""
    ids = {"board_id": item.board.id, "question_id": item.id}
    more = MORE if item.allows_text else None
    answers = [
        answer(
            f"option:{one['id']}",
            str(number),
            one["label"],
            one["outcome"] or f"{item.asker} goes on with this.",
            operation("answer_question", ids, {"option_id": one["id"]}, more),
            note=more,
            recommended=bool(one["recommended"]),
        )
        for number, one in enumerate(item.options, start=1)
    ]
    if item.allows_text:
        label = "Answer in your own words" if item.options else "Answer"
        words = operation("answer_question", ids, {}, WORDS)
        answers.append(answer("words", "A", label, f"{item.asker} reads it and goes on.", words, note=WORDS))
    return answers


async def hold(question_id: UUID) -> None:
    """Lock a question after its board."""
    question = await Question.get_or_none(id=question_id).select_related("board")
    if question is not None:
        await held_question(question)


KIND = NeedKind("question", "answer", find, say, parts_of_questions, ("question.", "board."), hold=hold)
