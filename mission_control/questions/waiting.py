"""Wait for people's answer without polling the database."""

from functools import partial
from typing import Any
from uuid import UUID

from mission_control.authn.freshness import fresh
from mission_control.commands.reactions import Reactions
from mission_control.commands.unit_of_work import notify
from mission_control.core.actor import Actor
from mission_control.core.errors import Unauthenticated
from mission_control.live.log import NewEvent
from mission_control.live.polls import settled
from mission_control.questions.models import Question
from mission_control.questions.queries import read_question, visible_question

reactions = Reactions()


async def wait_for_people(actor: Actor, question: Question, seconds: float) -> dict[str, Any]:
    """Return a question once it is no longer open, or still open when the time is over.

    An agent that lost the right to read it while it waited is refused.
    """
    read = partial(read_question, question.id)
    answer = await settled(channel_of(question.id), read, lambda found: found["state"] != "open", seconds)
    if seconds > 0:
        present = await fresh(actor)
        if present is None:
            raise Unauthenticated
        await visible_question(present, question.board_id, question.id)
    return answer


@reactions.to("question.answered", "question.withdrawn", "question.closed", "question.ended_on_gateway")
async def wake_polls_of_question(actor: Actor, event: NewEvent) -> None:
    """A question is no longer open."""
    notify(channel_of(UUID(str(event.data["question_id"]))))


def channel_of(question_id: UUID) -> str:
    """Return the wake-up channel that is notified when a question is over."""
    return f"question:{question_id}"
