"""What a person does through a model: look at boards and tasks, make a task, comment, decide, answer."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from tortoise.functions import Count

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentRead
from mission_control.approvals.decisions import refuse_decided
from mission_control.approvals.models import Approval
from mission_control.approvals.outside import request_of
from mission_control.approvals.queries import visible_approval
from mission_control.approvals.queue import reason_of
from mission_control.boards.models import Board
from mission_control.boards.statuses import STATUSES, TaskStatus
from mission_control.commands.transaction import atomically
from mission_control.core.actor import Actor
from mission_control.core.declared import completed
from mission_control.core.errors import NotFound
from mission_control.mcp.adapters import at_task, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import (
    ApprovalState,
    BoardDetails,
    Colleague,
    CommentLine,
    Priority,
    Ref,
    RequestLine,
    TaskDetail,
    TaskLine,
    WaitingTaskLine,
    board_details,
    counted,
    status_text,
)
from mission_control.questions.models import Question
from mission_control.tasks.fields import to_ask
from mission_control.tasks.models import Task
from mission_control.tasks.queries import tasks_read

tools = Tools()

BoardRef = Annotated[UUID, Field(description="The board's id, as list_boards answered it")]


class Part(Arguments):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    offset: Annotated[int, Field(ge=0)] = 0


class BoardLine(BaseModel):
    """A board; with can_change you may create tasks there, comment, decide and answer."""

    id: UUID
    name: str
    description: str
    can_change: bool


class Boards(BaseModel):
    """Who you are, and the boards that you read."""

    you: str
    your_id: UUID
    organization: str
    boards: list[BoardLine]
    total: int


@tools.tool("List boards", Part, Boards, audience="people", reads=True)
async def list_boards(actor: Actor, asked: Part) -> tuple[str, Any]:
    """List the boards that the person reads, by name. Call it first: every other tool needs an id from a list.

    The person is the owner of the token that you use: `you`. What you do here is recorded as done by them.
    """
    page = await perform("list_boards_api_v1_boards_get", actor, query=asked.model_dump())
    values = {
        "you": actor.name,
        "your_id": actor.id,
        "organization": actor.memberships[actor.organization_id].organization_name,
        "boards": [_line(one, actor.writes(one)) for one in page["items"]],
        "total": page["total"],
    }
    return f"{len(page['items'])} of {page['total']} boards.", values


def _line(board: Any, can_change: bool) -> dict[str, Any]:
    return {"id": board.id, "name": board.name, "description": board.description, "can_change": can_change}


class BoardId(Arguments):
    """Which board."""

    board_id: BoardRef


class BoardPage(BaseModel):
    """A board with its rules, its agents, how many tasks are in each column, and how much waits for people."""

    board: BoardDetails
    can_change: bool
    agents: list[Colleague]
    tasks: dict[TaskStatus, int]
    pending_approvals: int
    open_questions: int


@tools.tool("Read a board", BoardId, BoardPage, audience="people", reads=True)
async def get_board(actor: Actor, asked: BoardId) -> tuple[str, Any]:
    """Read what a board is for, which rules hold there, which agents work on it, and what waits for people.

    list_tasks lists its tasks, list_requests what agents ask. 404: no such board, or the person does not read it.
    """
    await perform("get_board_api_v1_boards__board_id__get", actor, {"board_id": asked.board_id})
    board = await Board.get(id=asked.board_id)
    present = Task.filter(board_id=board.id, deleted_at=None, archived_at=None)
    counts = await present.annotate(count=Count("id")).group_by("status").values_list("status", "count")
    columns = dict.fromkeys(STATUSES, 0) | {str(name): int(n) for name, n in counts}
    values = {
        "board": board_details(board),
        "can_change": actor.writes(board),
        "agents": [AgentRead.of(one) for one in await Agent.filter(board_id=board.id).order_by("created_at")],
        "tasks": columns,
        "pending_approvals": await Approval.filter(board_id=board.id, status="pending").count(),
        "open_questions": await Question.filter(board_id=board.id, state="open").count(),
    }
    return f"{board.name}: {', '.join(f'{n} in {name}' for name, n in columns.items())}.", values


class TasksWanted(Part):
    """Which tasks of a board to list."""

    board_id: BoardRef
    status: TaskStatus | None = None
    mine: Annotated[bool, Field(description="Only tasks that are assigned to the person")] = False
    q: Annotated[str | None, Field(max_length=200, description="Words of title or description, or a number")] = None
    why: Annotated[bool, Field(description="Tell for each task what it waits for")] = False


class FoundTasks(BaseModel):
    """A part of the board's tasks, and how many match in all."""

    tasks: list[WaitingTaskLine]
    total: int


@tools.tool("List tasks", TasksWanted, FoundTasks, audience="people", reads=True)
async def list_tasks(actor: Actor, asked: TasksWanted) -> tuple[str, Any]:
    """List the tasks of a board, newest first; by status, by words, or only those that are assigned to the person.

    With why it says what each task waits for. get_task reads one of them. 404: no such board, or the person does not
    read it.
    """
    query = {
        "status": asked.status,
        "assigned_user_id": actor.id if asked.mine else None,
        "q": asked.q,
        "include_waiting": asked.why,
        "limit": asked.limit,
        "offset": asked.offset,
    }
    ids = {"board_id": asked.board_id}
    page = await perform("list_tasks_api_v1_boards__board_id__tasks_get", actor, ids, query=query)
    return f"{len(page['items'])} of {page['total']} tasks.", {"tasks": page["items"], "total": page["total"]}


@completed(to_ask())
class PersonsTask(Arguments):
    """A task to be made."""

    board_id: BoardRef
    title: Annotated[str, Field(min_length=1, description="What is to be achieved, in one line")]
    priority: Priority = "medium"
    assigned_agent_id: Annotated[
        UUID | None, Field(description="An agent of get_board; left out, whichever agent claims it first")
    ] = None
    depends_on_task_ids: Annotated[list[UUID], Field(description="Tasks that must be done before this one")] = []


@tools.tool("Create a task", PersonsTask, TaskDetail, audience="people")
async def create_task(actor: Actor, asked: PersonsTask) -> tuple[str, Any]:
    """Create a task on a board, in the person's name. Agents of the board can claim it immediately.

    Describe one piece of work, and when it is done. 403: the person may only read that board. 404: no such
    board, agent or task. 409: it waits for other tasks and cannot have an assignee yet.
    """
    ids, body = {"board_id": asked.board_id}, asked.model_dump(exclude={"board_id"})
    task = await perform("create_task_api_v1_boards__board_id__tasks_post", actor, ids, body=body)
    return f"Task #{task['number']} is on the board.", task


class Said(Arguments):
    """Something to say about a task."""

    task_id: Ref
    message: Annotated[str, Field(min_length=1, description="Markdown; @name notifies an agent, @lead the lead")]


@tools.tool("Comment on a task", Said, CommentLine, audience="people")
async def comment(actor: Actor, asked: Said) -> tuple[str, Any]:
    """Say something about a task, in the person's name. The assigned and the mentioned agents are notified.

    403: the person may only read that board. 404: no such task, or the person does not read its board.
    """
    name = "create_task_comment_api_v1_boards__board_id__tasks__task_id__comments_post"
    ids = await at_task(actor, asked.task_id)
    return "Said.", await perform(name, actor, ids, body={"message": asked.message})


class RequestsWanted(Arguments):
    """Which requests to list."""

    board_id: Annotated[UUID | None, Field(description="Only of this board; left out, of all the person reads")] = None


class Requests(BaseModel):
    """What waits for people, the oldest first."""

    requests: list[RequestLine]


@tools.tool("List what waits for people", RequestsWanted, Requests, audience="people", reads=True)
async def list_requests(actor: Actor, asked: RequestsWanted) -> tuple[str, Any]:
    """List what agents ask people and nobody has decided or answered yet: approvals and questions, the oldest first.

    kind approval: decide it with decide_approval. kind question: answer it with answer_question. Show the person what
    is asked and why, and let them choose; never decide by yourself.
    """
    boards = {board.id: board for board in await _boards(actor, asked.board_id)}
    ids = list(boards)
    approvals = await Approval.filter(board_id__in=ids, status="pending").order_by("created_at").limit(200)
    questions = await Question.filter(board_id__in=ids, state="open").order_by("created_at").limit(200)
    lines = [await _approval_line(actor, one) for one in approvals]
    lines += [await _question_line(actor, one) for one in questions]
    for line in lines:
        line["board_name"] = boards[line["board_id"]].name
    lines.sort(key=lambda one: one["created_at"])
    return f"Waiting: {counted(len(approvals), 'approval')} and {counted(len(questions), 'question')}.", {
        "requests": lines
    }


async def _boards(actor: Actor, board_id: UUID | None) -> list[Board]:
    if board_id is not None:
        await perform("get_board_api_v1_boards__board_id__get", actor, {"board_id": board_id})
        return [await Board.get(id=board_id)]
    return await Board.visible_to(actor).filter(organization_id=actor.organization_id)


async def _approval_line(actor: Actor, approval: Approval) -> dict[str, Any]:
    read = await perform("get_approval", actor, {"board_id": approval.board_id, "approval_id": approval.id})
    asked_by = await Agent.get_or_none(id=approval.agent_id) if approval.agent_id else None
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
        "created_at": approval.created_at,
        "expires_at": approval.expires_at,
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
    }


class Verdict(Arguments):
    """The person's decision."""

    approval_id: Annotated[UUID, Field(description="The id of a request of kind approval")]
    decision: Annotated[
        Literal["approved", "rejected", "changes_requested"],
        Field(description="changes_requested sends the work back to its agent with the note"),
    ]
    note: Annotated[str | None, Field(description="What the agent should know; say what to change, or why not")] = None


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
        raise NotFound()
    ids = {"board_id": approval.board_id, "approval_id": approval.id}
    body = asked.model_dump(exclude={"approval_id"}, exclude_none=True)
    name = "update_approval_api_v1_boards__board_id__approvals__approval_id__patch"
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


class Answered(BaseModel):
    """The question and its answer."""

    id: UUID
    board_id: UUID
    agent_name: str
    content: str
    state: Literal["open", "answered", "withdrawn"]
    answer: str | None
    chosen_option_id: str | None


@tools.tool("Answer a question", Reply, Answered, audience="people")
async def answer_question(actor: Actor, asked: Reply) -> tuple[str, Any]:
    """Answer a question of an agent, in the person's name. The agent is notified; the board's memory keeps the answer.

    Answer what the person said, and nothing of your own: option_id, answer, or both. 409: it was already answered
    or withdrawn.
    """
    question = await Question.get_or_none(id=asked.question_id)
    if question is None:
        raise NotFound()
    ids = {"board_id": question.board_id, "question_id": question.id}
    body = asked.model_dump(exclude={"question_id"}, exclude_none=True)
    return "Answered.", await perform("answer_question", actor, ids, body=body)
