"""What a person decides and answers through a model: what agents wait for, and everything else that needs a person."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from mission_control.agents.models import Agent
from mission_control.approvals.decisions import refuse_decided
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import in_full, reason_of, request_of, stated_confidence
from mission_control.approvals.queries import visible_approval
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.values import JsonObject, version_of
from mission_control.events.commands import atomically
from mission_control.gateway_agents.requests.queries import may_see
from mission_control.http.operation import settled, themselves
from mission_control.mcp.answers import Shape
from mission_control.mcp.operations import perform
from mission_control.mcp.registry import REQUIRED, Call, Said, Shown, Tools, own, takes
from mission_control.mcp.shapes import APPROVAL, TASK_LINE, WAIT, counted, status_text
from mission_control.needs.lookup import parse_need_id
from mission_control.needs.polling import channel_of
from mission_control.needs.queries import done_by
from mission_control.needs.schemas import Need
from mission_control.needs.wording import others_missing
from mission_control.questions.models import Question
from mission_control.tasks.queries import tasks_read

tools = Tools(position=5)
MOST = 200
SEEN = "Of the request as you showed it to the person; 409 need_changed says what changed, then show it again"
# What agents ask; text is the question, with options to choose from, or the reason to approve.
REQUEST: JsonObject = {
    "board_id": None,  # of an agent on no board, asked by gateway_name
    "board_name": None,
    "gateway_name": None,
    "action_type": None,
    "task_ids": [],
    "task_titles": [],
    "confidence": None,
    "allows_always": False,  # whether decide_approval takes `always`
    "allows_stop": False,  # likewise `stop`
    "facts": [],  # what was counted
    "options": [],
    "allows_text": True,
    "expires_at": None,
}
OF_GATEWAY = Shape("kind id gateway_name action_type options allows_text substance expires_at created_at")


@tools.tool(
    "List what waits for people",
    takes(
        "list_needs", **WAIT, board_id=own(UUID | None, None, "Only of this board; left out, of all the person reads")
    ),
    audience="people",
    reads=True,
)
async def list_requests(call: Call) -> Said:
    """List what agents ask people and nobody has decided or answered yet: approvals and questions, the oldest first.

    kind approval: decide it with decide_approval. kind question: answer it with answer_question. Owners and admins also
    get what gateways ask for agents that are on no board. Show the person what is asked and why, and let them choose;
    never decide by yourself.
    """
    answer = await settled(
        call.actor,
        call.actor,
        channel_of(call.actor.organization_id),
        find=themselves,
        read=lambda present: _waiting(present, call["board_id"]),
        is_settled=lambda found: found["version"] != call["known"],
        seconds=call["wait_seconds"],
    )
    lines = answer["requests"]
    number = sum(one["kind"] == "approval" for one in lines)
    return f"Waiting: {counted(number, 'approval')} and {counted(len(lines) - number, 'question')}.", answer


async def _approval_lines(actor: Actor, board_ids: list[UUID]) -> list[JsonObject]:
    approvals = await Approval.filter(board_id__in=board_ids, status="pending").order_by("created_at").limit(MOST)
    done = await done_by(actor)
    page = await perform("list_needs", actor, kind="approval", limit=MOST)
    facts = {parse_need_id(need.id)[1]: [fact.text for fact in need.facts if fact.is_counted] for need in page.items}
    asked = [approval for approval in approvals if ("approval", approval.id) not in done]
    return [{**await _approval_line(actor, one), "facts": facts.get(one.id, [])} for one in asked]


async def _waiting(actor: Actor, board_id: UUID | None) -> JsonObject:
    boards = {board.id: board for board in await _boards(actor, board_id)}
    lines = await _approval_lines(actor, [*boards])
    questions = await Question.filter(board_id__in=[*boards], state="open").order_by("created_at").limit(MOST)
    lines += [await _question_line(actor, question) for question in questions]
    for line in lines:
        line["board_name"] = boards[line["board_id"]].name
    if board_id is None and may_see(actor):  # what gateways ask for agents that are on no board
        page = await perform("list_gateway_requests", actor, status="pending", limit=MOST)
        lines += [_boardless_line(one) for one in page["items"]]
    lines.sort(key=lambda one: one["created_at"])
    marks = ((one["id"], one["substance"]) for one in lines)
    return {"requests": [REQUEST | one for one in lines], "version": version_of(len(lines), marks)}


async def _boards(actor: Actor, board_id: UUID | None) -> list[Board]:
    if board_id is not None:
        await perform("get_board", actor, board_id=board_id)
        return [await Board.get(id=board_id)]
    return await Board.visible_to(actor).filter(organization_id=actor.organization_id)


async def _approval_line(actor: Actor, approval: Approval) -> JsonObject:
    read = await perform("get_approval", actor, board_id=approval.board_id, approval_id=approval.id)
    asked_by = await Agent.get_or_none(id=approval.agent_id) if approval.agent_id else None
    request = request_of(read["payload"])
    return {
        "kind": "approval",
        "id": approval.id,
        "board_id": approval.board_id,
        "asked_by": asked_by.name if asked_by else (read["requested_by"] or {}).get("name"),
        "text": "\n\n".join(
            filter(None, (reason_of(read["payload"]), request.as_text if request else in_full(read["payload"])))
        ),
        "action_type": read["action_type"],
        "task_ids": read["task_ids"],
        "task_titles": read["task_titles"],
        "confidence": stated_confidence(read["confidence"], read["payload"]),
        "allows_always": request is not None and request.allows_always,
        "allows_stop": request is not None and request.allows_stop,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "substance": read["substance"],
    }


async def _question_line(actor: Actor, question: Question) -> JsonObject:
    read = await perform("get_question", actor, board_id=question.board_id, question_id=question.id)
    return {
        "kind": "question",
        "id": question.id,
        "board_id": question.board_id,
        "asked_by": read["agent_name"],
        "text": read["content"],
        "options": read["options"],
        "allows_text": read["allows_text"],
        "created_at": question.created_at,
        "expires_at": question.expires_at,
        "substance": read["substance"],
    }


def _boardless_line(read: Any) -> JsonObject:
    request = request_of(read["payload"])
    text = read["content"] if request is None else f"{read['heading']}\n\n{request.as_text}"
    return {
        **OF_GATEWAY(read),
        "asked_by": read["agent_name"],
        "text": text or read["heading"],
        "allows_always": request is not None and request.allows_always,
        "allows_stop": request is not None and request.allows_stop,
    }


@tools.tool(
    "Decide an approval",
    takes(
        "decide_approval",
        approval_id="The id of a request of kind approval",
        decision="changes_requested sends the work back to its agent with the note",
        note=Shown("What the agent should know; say what to change, or why not", kind=str | None),
        then="Where the task of rejected work goes: the inbox, the person, or the trash",
        always="Approved for the next times too; only where the request says allows_always",
        stop="Rejected, and its program's turn ends; only where the request says allows_stop",
        substance=SEEN,
    ),
    Shape("", approval=APPROVAL, tasks=TASK_LINE),
    audience="people",
)
async def decide_approval(call: Call) -> Said:
    """Decide about an approval that an agent asked for, in the person's name. Only when the person said so.

    The agent is notified. Approving the request to finish a task (task.finish) makes that task done; `tasks` shows
    where it is now. With approvals_missing it waits for so many others. 403: the person may not decide on that board.
    409: somebody decided otherwise already; tell the person.
    """
    approval = await Approval.get_or_none(id=call["approval_id"])
    if approval is None:
        return f"{call['decision'].capitalize()}.", {"approval": await _decide_boardless(call), "tasks": []}
    ids = {"board_id": approval.board_id, "approval_id": approval.id}
    approval = await visible_approval(call.actor, **ids)  # 404 for who does not see it, whatever was decided

    async def decide() -> Any:
        await refuse_decided(approval, call["decision"])
        if call["always"] or call["stop"]:
            return await call.perform(**ids)
        sent = call.sent("decision", "note", "then", "substance")
        return await perform("update_approval", call.actor, **sent, **ids)  # the same decision may be sent again

    read = await atomically(call.actor, decide)
    tasks = await tasks_read(read["task_ids"]) if read["task_ids"] else []
    where = "".join(f" {status_text(task)}." for task in tasks)
    if missing := read["approvals_missing"]:
        return f"Approved. {others_missing(missing)}", {"approval": read, "tasks": tasks}
    return f"{call['decision'].replace('_', ' ').capitalize()}.{where}", {"approval": read, "tasks": tasks}


async def _decide_boardless(call: Call) -> JsonObject:
    """Decide about what a gateway asks for an agent on no board. Raise NotFound when it does not."""
    asked = {"gateway_request_id": call["approval_id"]}
    if call["decision"] == "changes_requested":
        await perform("get_gateway_request", call.actor, **asked)
        raise Invalid("A gateway takes approved or rejected. Say what to change in a message to its agent.")
    read = await perform("decide_gateway_request", call.actor, **asked, **call.sent("decision", "always", "substance"))
    return {**read, "task_ids": [], "decision": read["status"], "approvals_missing": 0}


@tools.tool(
    "Answer a question",
    takes(
        "answer_question",
        question_id="The id of a request of kind question",
        option_id="The id of the option that the person chose",
        answer="What the person said in their own words",
        substance=SEEN,
    ),
    Shape("id board_id agent_name content state answer chosen_option_id"),
    audience="people",
)
async def answer_question(call: Call) -> Said:
    """Answer a question of an agent, in the person's name. The agent is notified; the board's memory keeps the answer.

    Answer what the person said, and nothing of your own: option_id, answer, or both. 409: it was already answered
    or withdrawn, or the work that it was about is over.
    """
    question = await Question.get_or_none(id=call["question_id"])
    if question is not None:
        return "Answered.", await call.perform(board_id=question.board_id)
    words = call.sent("option_id", "answer", "substance")
    read = await perform("answer_gateway_request", call.actor, gateway_request_id=call["question_id"], **words)
    return "Answered.", {**read, "board_id": None, "state": "answered"}


@tools.tool(
    "List what needs the person",
    takes("list_needs", **WAIT, board_id="Only of this board", limit=Shown(default=50)),
    audience="people",
    reads=True,
)
async def list_needs(call: Call) -> Said:
    """List everything that waits for the person: approvals, questions, reviews, failed tasks, budgets, late tasks.

    Each names its answers; give one with answer_need. Show the person what is asked and why, and let them choose.
    """
    page = await call.perform()
    return f"{counted(page.total, 'thing')} waiting.", {
        "needs": [_need(one) for one in page.items],
        "total": page.total,
        "version": page.version,
    }


NEED = Shape("id kind title exact reason since substance diff_url")
ANSWER = Shape("id effect note note_label")


def _need(need: Need) -> JsonObject:
    return {
        **NEED(need),
        "facts": [fact.text for fact in need.facts],
        "board_name": need.board.name if need.board is not None else None,
        "answers": ANSWER([answer for answer in need.answers if answer.operation is not None]),
        "otherwise": need.otherwise.text,
    }


@tools.tool(
    "Answer a need",
    takes(
        "answer_need",
        need_id=Shown("Its id, such as approval:<uuid>", kind=Annotated[str, Field(max_length=80)], default=REQUIRED),
        answer="The id of one of its answers, such as approve",
        note="The person's words, where it takes some",
        substance="As you showed it to the person; 409 need_changed: show it again",
    ),
    Shape("id title outcome missing"),
    audience="people",
)
async def answer_need(call: Call) -> Said:
    """Give one of the answers of something that waits for the person. Only when the person said so.

    The first answer counts; with missing it waits for so many others. 409 need_ended: somebody was faster. 409
    need_changed: it is no longer what you showed.
    """
    answered = await call.perform()
    return f"Answered. {others_missing(answered.missing)}" if answered.missing else "Answered.", answered
