"""What waits for the person who signs in to the demo: a question, a task of theirs that is late, one that failed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.questions.commands import ask_people
from mission_control.questions.schemas import Option, QuestionCreate
from mission_control.tasks.commands import create_task
from mission_control.tasks.comments import add_comment
from mission_control.tasks.models import Task
from mission_control.tasks.schemas import TaskCreate

QUESTION = QuestionCreate(
    content="Which address form do the product pages get?",
    options=[
        Option(label="/shop/name, redirect the rest", outcome="I write 212 redirects, about 1 h.", recommended=True),
        Option(label="/products/name", outcome="I go on; 38 newsletter links break."),
        Option(label="Leave the addresses alone", outcome="I stop here, the task goes back to the inbox."),
    ],
)
LATE = {"title": "Send the photographer the shot list", "description": "She needs it two days before the session."}
FAILED = {
    "title": "Import the old orders",
    "description": "8,900 orders of three years, for the yearly report.",
}
ERROR = "It stopped again after 2 min: `column order_total holds text in row 8,113`."


def _task(texts: Mapping[str, str], **fields: Any) -> TaskCreate:
    return TaskCreate.model_validate({**texts, **fields})


async def leave_waiting(actors: Mapping[str, Actor], shop: Board, support: Board) -> None:
    """Ask, be late, and fail, some hours ago."""
    mara = actors["Mara"]
    with clock.travelled(-timedelta(minutes=48)):
        await ask_people(actors["Atlas"], shop, QUESTION)
    with clock.travelled(-timedelta(days=2)):
        due = clock.now() + timedelta(days=1)
        await create_task(mara, shop, _task(LATE, assigned_user_id=mara.id, due_at=due))
        failed = await create_task(mara, support, _task(FAILED))
    with clock.travelled(-timedelta(hours=5)):
        await add_comment(mara, failed, ERROR)
        await Task.filter(id=failed.id).update(flagged_at=clock.now())
