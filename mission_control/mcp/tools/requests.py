"""What a person decides and answers through a model: what agents wait for."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.agents.models import Agent
from mission_control.approvals.decisions import refuse_decided
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import request_of
from mission_control.approvals.queries import visible_approval
from mission_control.approvals.queue import reason_of
from mission_control.asks.polling import channel_of
from mission_control.boards.models import Board
from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.paging import version_of
from mission_control.mcp import boardless
from mission_control.mcp.adapters import perform
from mission_control.mcp.registry import Arguments, Tools, Waits
from mission_control.mcp.shapes import ApprovalState, RequestLine, TaskLine, counted, status_text
from mission_control.operations.operation import settled, themselves
from mission_control.questions.models import Question
from mission_control.tasks.queries import tasks_read

tools = Tools()
SEEN = "Of the request as you showed it to the person; 409 need_changed says what changed, then show it again"


class RequestsWanted(Waits):
    """Which requests to list."""

    board_id: Annotated[UUID | None, Field(description="Only of this board; left out, of all the person reads")] = None


class Requests(BaseModel):
    """What waits for people, the oldest first."""

    requests: list[RequestLine]
    version: str


@tools.tool("List what waits for people", RequestsWanted, Requests, audience="people", reads=True)
async def list_requests(actor: Actor, asked: RequestsWanted) -> tuple[str, Any]:
    """List what agents ask people and nobody has decided or answered yet: approvals and questions, the oldest first.

    kind approval: decide it with decide_approval. kind question: answer it with answer_question. Owners and admins also
    get what gateways ask for agents that are on no board. Show the person what is asked and why, and let them choose;
    never decide by yourself.
    """
    answer = await settled(
        actor,
        actor,
        channel_of(actor.organization_id),
        find=themselves,
        read=lambda present: _waiting(present, asked.board_id),
        is_settled=lambda found: found["version"] != asked.known,
        seconds=asked.wait_seconds,
    )
    lines = answer["requests"]
    number = sum(one["kind"] == "approval" for one in lines)
    return f"Waiting: {counted(number, 'approval')} and {counted(len(lines) - number, 'question')}.", answer


async def _waiting(actor: Actor, board_id: UUID | None) -> dict[str, Any]:
    boards = {board.id: board for board in await _boards(actor, board_id)}
    ids = list(boards)
    approvals = await Approval.filter(board_id__in=ids, status="pending").order_by("created_at").limit(200)
    questions = await Question.filter(board_id__in=ids, state="open").order_by("created_at").limit(200)
    lines = [await _approval_line(actor, one) for one in approvals]
    lines += [await _question_line(actor, one) for one in questions]
    for line in lines:
        line["board_name"] = boards[line["board_id"]].name
    if board_id is None:
        lines += await boardless.waiting(actor)
    lines.sort(key=lambda one: one["created_at"])
    marks = ((one["id"], one["substance"]) for one in lines)
    return {"requests": lines, "version": version_of(len(lines), marks)}


async def _boards(actor: Actor, board_id: UUID | None) -> list[Board]:
    if board_id is not None:
        await perform("get_board", actor, {"board_id": board_id})
        return [await Board.get(id=board_id)]
    return await Board.visible_to(actor).filter(organization_id=actor.organization_id)


async def _approval_line(actor: Actor, approval: Approval) -> dict[str, Any]:
    read = await perform("get_approval", actor, {"board_id": approval.board_id, "approval_id": approval.id})
    asked_by = await Agent.get_or_none(id=approval.agent_id) if approval.agent_id else None
    request = request_of(read["payload"])
    return {
        "kind": "approval",
        "id": approval.id,
        "board_id": approval.board_id,
        "asked_by": asked_by.name if asked_by else (read["requested_by"] or {}).get("name"),
        "text": _text_of(read["payload"]),
        "action_type": read["action_type"],
        "task_ids": read["task_ids"],
        "task_titles": read["task_titles"],
        "confidence": read["confidence"],
        "allows_always": request is not None and request.allows_always,
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
        "substance": read["substance"],
    }


def _text_of(payload: Any) -> str:
    """Return why something is asked, and what a gateway is asked to do."""
    request = request_of(payload)
    return "\n\n".join([reason_of(payload), *([request.as_text] if request is not None else [])])


async def _question_line(actor: Actor, question: Question) -> dict[str, Any]:
    read = await perform("get_question", actor, {"board_id": question.board_id, "question_id": question.id})
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


class Verdict(Arguments):
    """The person's decision."""

    approval_id: Annotated[UUID, Field(description="The id of a request of kind approval")]
    decision: Annotated[
        Literal["approved", "rejected", "changes_requested"],
        Field(description="changes_requested sends the work back to its agent with the note"),
    ]
    note: Annotated[str | None, Field(description="What the agent should know; say what to change, or why not")] = None
    then: Annotated[
        Literal["inbox", "mine", "trash"],
        Field(description="Where the task of rejected work goes: the inbox, the person, or the trash"),
    ] = "inbox"
    always: Annotated[
        bool, Field(description="Approved for the next times too; only where the request says allows_always")
    ] = False
    substance: Annotated[str | None, Field(description=SEEN)] = None


class Decided(BaseModel):
    """The approval as it is now, and the tasks that it is about."""

    approval: ApprovalState
    tasks: list[TaskLine]


@tools.tool("Decide an approval", Verdict, Decided, audience="people")
async def decide_approval(actor: Actor, asked: Verdict) -> tuple[str, Any]:
    """Decide about an approval that an agent asked for, in the person's name. Only when the person said so.

    The agent is notified. Approving the request to finish a task (task.finish) makes that task done; `tasks` shows
    where it is now. 403: the person may not decide on that board. 409: somebody decided otherwise already; tell the
    person.
    """
    approval = await Approval.get_or_none(id=asked.approval_id)
    if approval is None:
        read = await boardless.decide(
            actor, asked.approval_id, asked.decision, always=asked.always, substance=asked.substance
        )
        return f"{asked.decision.capitalize()}.", {"approval": read, "tasks": []}
    ids = {"board_id": approval.board_id, "approval_id": approval.id}
    body = asked.model_dump(exclude={"approval_id"}, exclude_none=True)
    name = "decide_approval"
    if not body["always"]:  # the same decision may be sent again
        name = "update_approval"
        del body["always"]
    approval = await visible_approval(actor, **ids)  # 404 for who does not see it, whatever was decided

    async def decide() -> Any:
        await refuse_decided(approval, asked.decision)
        return await perform(name, actor, ids, body=body)

    read = await atomically(actor, decide)
    tasks = await tasks_read(read["task_ids"]) if read["task_ids"] else []
    where = "".join(f" {status_text(one)}." for one in tasks)
    return f"{asked.decision.replace('_', ' ').capitalize()}.{where}", {"approval": read, "tasks": tasks}


class Reply(Arguments):
    """The person's answer: an option, their own words, or both."""

    question_id: Annotated[UUID, Field(description="The id of a request of kind question")]
    option_id: Annotated[str | None, Field(description="The id of the option that the person chose")] = None
    answer: Annotated[str | None, Field(max_length=20_000, description="What the person said in their own words")] = (
        None
    )
    substance: Annotated[str | None, Field(description=SEEN)] = None


class Answered(BaseModel):
    """The question and its answer."""

    id: UUID
    board_id: UUID | None
    agent_name: str
    content: str
    state: Literal["open", "answered", "withdrawn", "closed"]
    answer: str | None
    chosen_option_id: str | None


@tools.tool("Answer a question", Reply, Answered, audience="people")
async def answer_question(actor: Actor, asked: Reply) -> tuple[str, Any]:
    """Answer a question of an agent, in the person's name. The agent is notified; the board's memory keeps the answer.

    Answer what the person said, and nothing of your own: option_id, answer, or both. 409: it was already answered
    or withdrawn, or the work that it was about is over.
    """
    body = asked.model_dump(exclude={"question_id"}, exclude_none=True)
    question = await Question.get_or_none(id=asked.question_id)
    if question is None:
        return "Answered.", await boardless.answer(actor, asked.question_id, body)
    ids = {"board_id": question.board_id, "question_id": question.id}
    return "Answered.", await perform("answer_question", actor, ids, body=body)
