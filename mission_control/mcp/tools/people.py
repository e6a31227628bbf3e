"""What a person does through a model: look at boards and tasks, make a task, comment."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from tortoise.functions import Count

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentRead
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.boards.statuses import STATUSES, TaskStatus
from mission_control.core.actor import Actor
from mission_control.core.declared import completed
from mission_control.mcp.adapters import at_task, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import (
    BoardDetails,
    Colleague,
    CommentLine,
    Priority,
    TaskDetail,
    WaitingTaskLine,
    board_details,
)
from mission_control.mcp.task_numbers import TaskRef
from mission_control.questions.models import Question
from mission_control.tasks.fields import to_ask
from mission_control.tasks.models import Task

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
    page = await perform("list_boards", actor, query=asked.model_dump())
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
    await perform("get_board", actor, {"board_id": asked.board_id})
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
    page = await perform("list_tasks", actor, ids, query=query)
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
    depends_on_task_ids: Annotated[list[TaskRef], Field(description="Tasks that must be done before this one")] = []


@tools.tool("Create a task", PersonsTask, TaskDetail, audience="people")
async def create_task(actor: Actor, asked: PersonsTask) -> tuple[str, Any]:
    """Create a task on a board, in the person's name. Agents of the board can claim it immediately.

    Describe one piece of work, and when it is done. 403: the person may only read that board. 404: no such
    board, agent or task. 409: it waits for other tasks and cannot have an assignee yet.
    """
    ids, body = {"board_id": asked.board_id}, asked.model_dump(exclude={"board_id"})
    task = await perform("create_task", actor, ids, body=body)
    return f"Task #{task['number']} is on the board.", task


class Said(Arguments):
    """Something to say about a task."""

    task_id: TaskRef
    message: Annotated[str, Field(min_length=1, description="Markdown; @name notifies an agent, @lead the lead")]


@tools.tool("Comment on a task", Said, CommentLine, audience="people")
async def comment(actor: Actor, asked: Said) -> tuple[str, Any]:
    """Say something about a task, in the person's name. The assigned and the mentioned agents are notified.

    403: the person may only read that board. 404: no such task, or the person does not read its board.
    """
    ids = await at_task(actor, asked.task_id)
    return "Said.", await perform("create_task_comment", actor, ids, body={"message": asked.message})
