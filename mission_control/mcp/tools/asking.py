"""What an agent asks people: questions and approvals, and what became of them."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.approvals.payloads import reason_of
from mission_control.approvals.streams import POLLS as APPROVALS
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, OkResponse, parse_id, version_of
from mission_control.http.operation import settled, themselves
from mission_control.mcp.operations import home, perform
from mission_control.mcp.registry import Call, Said, Tools, takes
from mission_control.mcp.shapes import ID, WAIT, counted
from mission_control.questions.reactions import POLLS as QUESTIONS

tools = Tools(position=3)
MOST = 100


@tools.tool("List what people were asked", takes("list_questions", **WAIT), role="lead", reads=True)
async def list_asked(call: Call) -> Said:
    """List the questions and approvals of your board that people have not settled yet, the newest first.

    Read it before you ask, so that nothing is asked twice, and when you start anew and no longer know what you wait
    for. withdraw_question takes the id of a question.
    """
    board_id = home(call.actor)
    answer = await settled(
        call.actor,
        call.actor,
        QUESTIONS.channel_of_list(board_id),
        APPROVALS.channel_of_list(board_id),
        find=themselves,
        read=_waiting,
        is_settled=lambda found: found["version"] != call["known"],
        seconds=call["wait_seconds"],
    )
    return f"Not settled: {counted(len(answer['asked']), 'request')}.", answer


async def _waiting(actor: Actor) -> JsonObject:
    questions = await perform("list_questions", actor, state="open", limit=MOST)
    approvals = await perform("list_approvals", actor, status="pending", limit=MOST)
    lines = [_question_line(actor, question) for question in questions["items"]]
    names = {one.id: one.name for one in await Agent.filter(board_id=home(actor)).only("id", "name")}
    lines += [_approval_line(actor, approval, names) for approval in approvals["items"]]
    lines.sort(key=lambda one: str(one["created_at"]), reverse=True)
    return {"asked": lines, "version": version_of(len(lines), (one["id"] for one in lines))}


def _question_line(actor: Actor, read: Any) -> JsonObject:
    return {
        "kind": "question",
        "id": read["id"],
        "mine": str(read["agent_id"]) == str(actor.agent_id),
        "asked_by": read["agent_name"],
        "text": read["content"],
        "task_ids": [],
        "created_at": read["created_at"],
    }


def _approval_line(actor: Actor, read: Any, names: dict[UUID, str]) -> JsonObject:
    agent_id = parse_id(read["agent_id"])
    by_person = (read["requested_by"] or {}).get("name")
    return {
        "kind": "approval",
        "id": read["id"],
        "mine": agent_id == actor.agent_id,
        "asked_by": names.get(agent_id) if agent_id else by_person,
        "text": f"{read['action_type']}: {reason_of(read['payload'])}",
        "task_ids": read["task_ids"],
        "created_at": read["created_at"],
    }


@tools.tool("Withdraw a question", takes("withdraw_question", question_id=ID), role="lead", scope="work", repeats=True)
async def withdraw_question(call: Call) -> Said:
    """Withdraw a question that nobody answered, when you found the answer or no longer need it.

    Yours; a lead's also those of others. 409: somebody answered it already; the answer is in your inbox.
    """
    await call.perform()
    return "Withdrawn.", OkResponse()
