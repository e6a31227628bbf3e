"""What waits for who signs in to the demo: a question, a late task, a failed one, a silent agent, a gateway to pair."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mission_control.agents.commands import create_agent
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentCreate
from mission_control.authn import credentials
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.gateways.leases import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.gateways.reporting import FIRST_PAIRING, PAIRING
from mission_control.questions.commands import ask_people
from mission_control.questions.schemas import Option, QuestionCreate
from mission_control.tasks.changes import TaskChange
from mission_control.tasks.commands import change_task, create_task
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
SILENT = {
    "title": "Answer the refunds of November",
    "description": "23 customers wait; the rules are in the memory of the board.",
}
GATEWAY = "office-mini (invented)"
SILENT_AGENT, SILENT_COMMENT = "Otto", "I read the rules and begin with the oldest."


def _task(texts: Mapping[str, str], **fields: Any) -> TaskCreate:
    return TaskCreate.model_validate({**texts, **fields})


async def leave_waiting(actors: Mapping[str, Actor], shop: Board, support: Board) -> Agent:
    """Ask, be late, and fail, some hours ago. Return the agent that fell silent."""
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
    await _wait_for_pairing(mara)
    return await _fall_silent(mara, support)


async def _wait_for_pairing(mara: Actor) -> None:
    """Let a gateway wait for its owner; it is invented, and nobody connects to it."""
    with clock.travelled(-timedelta(minutes=22)):
        await Gateway.create(
            organization_id=mara.organization_id,
            name=GATEWAY,
            url=INVENTED,
            workspace_root="~/.openclaw",
            state=PAIRING,
            state_code="not-paired",
            last_error=FIRST_PAIRING,
            pairing_request_id="7f2c91ad",
            pairing_device_id="5b0e7d1c94a2",
        )


async def _fall_silent(mara: Actor, board: Board) -> Agent:
    """Let an agent that nobody simulates take a task, and stop."""
    with clock.travelled(-timedelta(hours=1, minutes=40)):
        profile = {"role": "Worker", "note": "Stopped in the middle of a task, for the demo"}
        agent, secret = await create_agent(mara, board, AgentCreate(name=SILENT_AGENT, identity_profile=profile))
        actor = await credentials.agent_by_token(secret or "")
        assert actor is not None
        task = await create_task(mara, board, _task(SILENT))
        await change_task(actor, task, TaskChange(status="in_progress"))
        await add_comment(actor, task, SILENT_COMMENT)
        await Agent.filter(id=agent.id).update(last_seen_at=clock.now())
    return agent
