"""Close the questions of a run with its end, and wait for answers without polling the database."""

from uuid import UUID

from mission_control.approvals.closures import CHANGES, why_moot
from mission_control.approvals.streams import Polls
from mission_control.boards.attempts import IS_CURRENT
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.database.sql import rows
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import reacts_to
from mission_control.questions.commands import save_end, send_notice
from mission_control.questions.models import Question
from mission_control.questions.queries import list_questions, read_question, visible_question
from mission_control.questions.schemas import QuestionQuery

EVENTS = (Kind("question.closed", "A question became moot: the run that asked ended.", "closed the question:"),)

_MOOT = (
    "SELECT q.id FROM task_runs r JOIN tasks t ON t.id = r.task_id JOIN agent_questions q ON q.run_id = r.id"
    f" AND q.state = 'open' WHERE r.task_id = ? AND NOT {IS_CURRENT} ORDER BY q.id"
)


@reacts_to(*CHANGES)
async def close_moot_questions(actor: Actor, event: NewEvent) -> None:
    """Close what a change of a task made moot: what its run asked ends with it."""
    why, task_id = why_moot(event), event.scope.task_id
    # No run before the first one can have asked anything.
    is_first_run = event.kind == "task.status_changed" and event.data["after"].get("fence") == 1
    if why is None or task_id is None or is_first_run:
        return
    for question in await rows(_MOOT, task_id):
        await _close(actor, UUID(str(question["id"])), why)


async def _close(actor: Actor, question_id: UUID, why: str) -> None:
    """Close an open question. A gateway that asked is told that it is cancelled. The caller holds the task."""
    question = await Question.select_for_update().get_or_none(id=question_id)
    if question is None or question.state != "open":  # answered since it was found
        return
    question.board = await Board.get(id=question.board_id)
    question.state, question.closed_reason, question.closed_at = "withdrawn", why, times.clock_now()
    await save_end("question.closed", question, f" {why}", note=why)
    if question.gateway_id is None and question.agent_id not in (None, actor.agent_id):
        lines = [f"Why: {why}", "", "Nobody answers this now. Do not wait for it."]
        await send_notice(question, question.agent_id, "REQUEST CLOSED", lines)


POLLS = Polls[Question, QuestionQuery](
    "question",
    visible_question,
    read_question,
    list_questions,
    waits=("state", "open"),
    marks=("id", "state", "answer", "chosen_option_id"),
)


@reacts_to("question.asked", "question.answered", "question.withdrawn", "question.closed", "question.ended_on_gateway")
async def wake_polls_of_questions(actor: Actor, event: NewEvent) -> None:
    POLLS.wake(event)
