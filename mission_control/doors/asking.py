"""What an agent asks people: questions and approvals, and what became of them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mission_control.agents.models import Agent
from mission_control.approvals.live import POLLS as APPROVALS
from mission_control.approvals.payloads import reason_of
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, OkResponse, parse_id, version_of
from mission_control.doors.answers import Shape
from mission_control.doors.operations import home, perform, person_asked
from mission_control.doors.registry import Arguments, Call, Said, Shown, Tools, own, takes
from mission_control.doors.shapes import APPROVAL, BY_WHEN, ID, OTHERWISE_PERSON, WAIT, counted, fence, required
from mission_control.home.question_reactions import POLLS as QUESTIONS
from mission_control.home.question_schemas import MOST_OPTIONS
from mission_control.http.operation import settled, themselves

tools = Tools(position=3)
MOST = 100
OTHERWISE = "What happens if nobody {} by then; ask: otherwise_person is asked"


class Choice(Arguments):
    """An answer that people can choose."""

    label: Annotated[str, Field(min_length=1, max_length=200, description="The answer in a few words")]
    outcome: Annotated[str | None, Field(max_length=1_000, description="What happens when people choose it")] = None
    recommended: Annotated[bool, Field(description="Whether you would choose it; one at most")] = False


@tools.tool(
    "Ask people",
    takes(
        "ask_question",
        question=Shown("With what is needed to answer it", "content"),
        options=Shown(
            "Answers to choose from; people answer by one key",
            kind=Annotated[list[Choice], Field(max_length=MOST_OPTIONS)],
        ),
        allows_text="Whether people may answer in their own words as well",
        **BY_WHEN,
        otherwise=OTHERWISE.format("answers"),
        otherwise_person=OTHERWISE_PERSON,
        otherwise_option=own(
            Annotated[int | None, Field(ge=1, le=MOST_OPTIONS)], None, "The number of the option that is taken then"
        ),
        tags=Shown("Tags under which the answer is remembered", "reply_tags"),
    ),
    Shape("question_id content options state"),
    listed="nobody",
)
async def ask_people(call: Call) -> Said:
    """Ask the people of the board a question that blocks your work.

    First recall what is known, and do not ask what is open already (list_asked). Give options where you know the
    possible answers: say what happens with each, and recommend one. For a yes or no about one step use
    request_approval. The answer comes to your inbox, with the option that they chose, and is kept in the board's
    memory; read_inbox with wait_seconds and keep your lease with extend_lease; without it the task waits for you. When
    your work on the task ends, the question closes. Never ask for passwords or other secrets.
    """
    number = call["otherwise_option"]
    answer = await call.perform(
        otherwise_user_id=await person_asked(call.actor, call["otherwise_person"]),
        otherwise_option_id=None if number is None else str(number),
    )
    return "People see your question now.", {**answer, "question_id": str(answer["id"])}


@tools.tool("List what people were asked", takes("list_questions", **WAIT), reads=True, listed="leads")
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
    lines = [_question_line(actor, one) for one in questions["items"]]
    names = {one.id: one.name for one in await Agent.filter(board_id=home(actor)).only("id", "name")}
    lines += [_approval_line(actor, one, names) for one in approvals["items"]]
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


@tools.tool("Withdraw a question", takes("withdraw_question", question_id=ID), repeats=True, listed="leads")
async def withdraw_question(call: Call) -> Said:
    """Withdraw a question that nobody answered, when you found the answer or no longer need it.

    Yours; a lead's also those of others. 409: somebody answered it already; the answer is in your inbox.
    """
    await call.perform()
    return "Withdrawn.", OkResponse()


@tools.tool(
    "Ask people to approve",
    takes(
        "create_approval",
        action_type=required("What you want to do, such as task.finish or deploy"),
        reason=required("Why, with what a person needs to decide; Markdown", "lead_reasoning"),
        confidence="How sure you are that it is right, in percent",
        task_ids="The tasks that it is about; name yours",
        payload="More to look at, such as a diff or a draft",
        **BY_WHEN,
        otherwise=OTHERWISE.format("decides"),
        otherwise_person=OTHERWISE_PERSON,
        fence=fence("The fence of your lease, when a task is yours"),
    ),
    APPROVAL,
    listed="nobody",
)
async def request_approval(call: Call) -> Said:
    """Ask the people of the board for a decision, and get the id of the request.

    Use it before anything external or risky. finish_task asks by itself where the board wants an approval before a
    task is done. Then call wait_for_decision. 409 with `conflicts`: a task has a pending request already; wait for the
    approval_id that is named there and do not ask again. 409 lease_lost: stop working on the task.
    """
    answer = await call.perform(otherwise_user_id=await person_asked(call.actor, call["otherwise_person"]))
    return "People see your request now. Wait for the decision before you act on it.", answer


@tools.tool(
    "Wait for a decision",
    takes("get_approval", approval_id=ID, wait_seconds=Shown("How long to wait at most", default=50)),
    APPROVAL,
    reads=True,
    listed="nobody",
)
async def wait_for_decision(call: Call) -> Said:
    """Wait until people decide about a request, at most 50 seconds; call it again while it is pending.

    approved: go on. rejected: do not do it; note says why. changes_requested: change what the note asks for, then
    request_approval again. closed: your work on the task ended, and nobody decides. Keep your lease alive with
    extend_lease while you wait; without it the task waits for you, and claim_task returns it.
    """
    answer = await call.perform()
    return _sentence(answer), answer


def _sentence(answer: JsonObject) -> str:
    if answer["status"] == "pending":
        return "Nobody has decided yet."
    if answer["decision"] == "closed":
        return f"It is closed, nobody decides it. {answer['note']}"
    who = answer["resolved_by"]["name"] if answer["resolved_by"] else "Mission Control"
    what = {"approved": "approved it", "rejected": "rejected it", "changes_requested": "asks for changes"}
    note = f": {answer['note']}" if answer["note"] else "."
    return f"{who} {what[answer['decision']]}{note}"
