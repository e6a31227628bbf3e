"""Pages of questions: in the queue, or one by itself."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.approvals.deadline_pages import HOURS, people_of
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.live.models import Event
from mission_control.questions import queue
from mission_control.questions.deadline_pages import otherwise_of
from mission_control.questions.forms import AnswerForm
from mission_control.questions.models import Question
from mission_control.questions.queries import visible_question
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import render_block
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("questions_pages", __name__)
QUESTION = "/boards/<uuid:board_id>/questions/<uuid:question_id>"
PAGE, TEMPLATE = "question", "questions/show.html"
NOTHING_TYPED: dict[str, Any] = {"sentence": "", "typed": "", "values": {}, "errors": {}}


@pages.get("/boards/<uuid:board_id>/questions/<uuid:question_id>")
async def one_question(board_id: UUID, question_id: UUID) -> ResponseReturnValue:
    """Show one question in any state."""
    actor = await signed_in()
    return await _question_as_it_is(actor, await visible_question(actor, board_id, question_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView(View):
    """A viewer's page of one question."""

    board: Board
    question_id: UUID

    async def block(self, name: str) -> str:
        """Return one block of the page."""
        item = await self.reads.get(
            ("question", self.question_id, self.actor.id), lambda: queue.item(self.actor, self.board, self.question_id)
        )
        context = {**NOTHING_TYPED, "item": item, "next_url": f"/boards/{self.board.id}/approvals"}
        context |= await _choices(item)
        return await render_block(TEMPLATE, name, **context)


@pages.get("/boards/<uuid:board_id>/questions/<uuid:question_id>/live")
async def one_live(board_id: UUID, question_id: UUID) -> Response:
    """Keep the page of one question live."""
    actor = await signed_in()
    board = (await visible_question(actor, board_id, question_id)).board

    async def look(viewer: Actor, reads: Reads) -> QuestionView | None:
        is_there = viewer.reads(board) and await Question.filter(id=question_id, board__deleted_at=None).exists()
        view = QuestionView(
            actor=viewer, pages=(PAGE,), active="approvals", reads=reads, board=board, question_id=question_id
        )
        return view if is_there else None

    return await live_page(actor, look)


async def _row(view: QuestionView) -> str:
    return await view.block("row")


async def _deadline(view: QuestionView) -> str:
    return await view.block("deadline")


async def _asked(view: QuestionView) -> str:
    return await view.block("asked")


NEWS = Concerns[QuestionView](
    ("question.", "board."), (), lambda view, news: isinstance(news, Event) and news.board_id == view.board.id
)
REGIONS = (
    Region(PAGE, "#question-row", NEWS, _row),
    Region(PAGE, "#question-deadline", NEWS, _deadline),
    Region(PAGE, "#question-asked", NEWS, _asked),
)


async def _not_answered(refusal: Refusal[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer what was typed with the reason; the question as it is when somebody else was faster."""
    error, form = refusal.error, refusal.form
    if isinstance(error, FormInvalid):
        errors = {name or "answer": text for name, text in refusal.errors.items()}
        return await _question_as_it_is(refusal.actor, refusal.found, values=refusal.values, errors=errors)
    if isinstance(error, Invalid):
        errors = {"answer": error.sentence}
        return await _question_as_it_is(refusal.actor, refusal.found, values=refusal.values, errors=errors)
    if isinstance(error, Conflict) and form is not None:
        return await _question_as_it_is(refusal.actor, refusal.found, sentence=error.sentence, typed=form.answer or "")
    raise error


@action(pages, "POST", f"{QUESTION}/answers", performs="answer_question", form=AnswerForm, refused=_not_answered)
async def answer(outcome: Outcome[Question, AnswerForm]) -> ResponseReturnValue:
    """Answer a question; only the first answer counts."""
    return done(f"{safe_next(outcome.form.next)}#queue", toast=f"{outcome.found.agent_name} has your answer.")


async def _question_as_it_is(actor: Actor, question: Question, **more: Any) -> str:
    """Return the current question: its row for htmx, else its page."""
    item = await queue.item(actor, question.board, question.id)
    if item is None:
        raise NotFound()
    context: dict[str, Any] = {"item": item, **NOTHING_TYPED, **more}
    context["next_url"] = safe_next(context["values"].get("next") or f"/boards/{question.board_id}/approvals")
    if is_htmx():
        return await render_block(TEMPLATE, "row", **context)
    return await shell_page(actor, TEMPLATE, active="approvals", **context, **await _choices(item))


async def _choices(item: queue.Item | None) -> dict[str, Any]:
    """Return what a deadline may say."""
    if item is None:
        return {}
    return {"people": await people_of(item.board), "hours": HOURS, "otherwise": otherwise_of(item.options)}
