"""Questions to people, and their answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from mission_control.approvals.live import POLLS
from mission_control.approvals.queries import visible_approval
from mission_control.core.actor import Actor
from mission_control.mcp.adapters import at, holding, home, perform
from mission_control.mcp.people_named import OtherwisePerson, person_asked
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import ApprovalState, Ref
from mission_control.mcp.task_numbers import TaskRef

tools = Tools()


class Question(Arguments):
    """What people should decide, and why they can say yes."""

    action_type: Annotated[str, Field(min_length=1, description="What you want to do, such as task.finish or deploy")]
    reason: Annotated[str, Field(min_length=1, description="Why, with what a person needs to decide; Markdown")]
    confidence: Annotated[float, Field(ge=0, le=100, description="How sure you are that it is right, in percent")]
    task_ids: Annotated[list[TaskRef], Field(description="The tasks that it is about; name yours")] = []
    payload: Annotated[dict[str, Any] | None, Field(description="More to look at, such as a diff or a draft")] = None
    decide_in: Annotated[int | None, Field(description="In how many seconds you need it, from 60")] = None
    decide_by: Annotated[datetime | None, Field(description="The same as a time with its zone")] = None
    otherwise: Annotated[
        Literal["remind", "ask", "send_back"] | None,
        Field(description="What happens if nobody decides by then; ask: otherwise_person is asked"),
    ] = None
    otherwise_person: OtherwisePerson = None
    fence: Annotated[int | None, Field(ge=1, description="The fence of your lease, when a task is yours")] = None


@tools.tool("Ask people to approve", Question, ApprovalState)
async def request_approval(actor: Actor, asked: Question) -> tuple[str, Any]:
    """Ask the people of the board for a decision, and get the id of the request.

    Use it before anything external or risky. finish_task asks by itself where the board wants an approval before a
    task is done. Then call wait_for_decision. 409 with `conflicts`: a task has a pending request already; wait for the
    approval_id that is named there and do not ask again. 409 lease_lost: stop working on the task.
    """
    body = {
        "action_type": asked.action_type,
        "lead_reasoning": asked.reason,
        "confidence": asked.confidence,
        "task_ids": asked.task_ids,
        "payload": asked.payload,
        "decide_by": asked.decide_by,
        "decide_in": asked.decide_in,
        "otherwise": asked.otherwise,
        "otherwise_user_id": await person_asked(actor, asked.otherwise_person),
    }
    caller = holding(actor, asked.fence)
    answer = await perform("create_approval", caller, at(actor), body=body)
    return "People see your request now. Wait for the decision before you act on it.", answer


class Patience(Arguments):
    """Which request, and how long to wait."""

    approval_id: Ref
    wait_seconds: Annotated[int, Field(ge=0, le=50, description="How long to wait at most")] = 50


@tools.tool("Wait for a decision", Patience, ApprovalState, reads=True)
async def wait_for_decision(actor: Actor, asked: Patience) -> tuple[str, Any]:
    """Wait until people decide about a request, at most 50 seconds; call it again while it is pending.

    approved: go on. rejected: do not do it; note says why. changes_requested: change what the note asks for, then
    request_approval again. closed: your work on the task ended, and nobody decides. Keep your lease alive with
    extend_lease while you wait; without it the task waits for you, and claim_task returns it.
    """
    approval = await visible_approval(actor, board_id=home(actor), approval_id=asked.approval_id)
    answer = await POLLS.one(actor, approval, asked.wait_seconds)
    return _sentence(answer), answer


def _sentence(answer: dict[str, Any]) -> str:
    if answer["status"] == "pending":
        return "Nobody has decided yet."
    if answer["decision"] == "closed":
        return f"It is closed, nobody decides it. {answer['note']}"
    who = answer["resolved_by"]["name"] if answer["resolved_by"] else "Mission Control"
    what = {"approved": "approved it", "rejected": "rejected it", "changes_requested": "asks for changes"}
    note = f": {answer['note']}" if answer["note"] else "."
    return f"{who} {what[answer['decision']]}{note}"
