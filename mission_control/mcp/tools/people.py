"""What a person does through a model: look at boards and tasks, make a task, comment."""

from tortoise.functions import Count

from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentRead
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.boards.statuses import STATUSES
from mission_control.mcp import shapes
from mission_control.mcp.answers import Shape
from mission_control.mcp.registry import Call, Said, Tools, own, takes
from mission_control.questions.models import Question
from mission_control.tasks.models import Task

tools = Tools(position=4)
BOARD = "Its name or id"
BOARD_LINE = Shape("id name description")


@tools.tool("List boards", takes("list_boards", **shapes.PART), audience="people", reads=True)
async def list_boards(call: Call) -> Said:
    """List the boards that the person reads, by name. Call it first: other tools take the name of one, or its id.

    The person is the owner of the token that you use: `you`. What you do here is recorded as done by them.
    """
    actor, page = call.actor, await call.perform()
    values = {
        "you": actor.name,
        "your_id": actor.id,
        "organization": actor.memberships[actor.organization_id].organization_name,
        "boards": [{**BOARD_LINE(one), "can_change": actor.writes(one)} for one in page["items"]],
        "total": page["total"],
    }
    return f"{len(page['items'])} of {page['total']} boards.", values


@tools.tool("Read a board", takes("get_board", board_id=BOARD), audience="people", reads=True)
async def get_board(call: Call) -> Said:
    """Read what a board is for, which rules hold there, which agents work on it, and what waits for people.

    list_tasks lists its tasks, list_requests what agents ask. 404: no such board, or the person does not read it.
    """
    await call.perform()
    board = await Board.get(id=call["board_id"])
    present = Task.filter(board_id=board.id, deleted_at=None, archived_at=None)
    counts = await present.annotate(count=Count("id")).group_by("status").values_list("status", "count")
    columns = dict.fromkeys(STATUSES, 0) | {str(name): int(n) for name, n in counts}
    agents = await Agent.filter(board_id=board.id).order_by("created_at")
    values = {
        "board": shapes.board_details(board),
        "can_change": call.actor.writes(board),
        "agents": shapes.COLLEAGUE([AgentRead.of(agent) for agent in agents]),
        "tasks": columns,
        "pending_approvals": await Approval.filter(board_id=board.id, status="pending").count(),
        "open_questions": await Question.filter(board_id=board.id, state="open").count(),
    }
    return f"{board.name}: {', '.join(f'{n} in {name}' for name, n in columns.items())}.", values


@tools.tool(
    "List tasks",
    takes(
        "list_tasks",
        **shapes.PART,
        board_id=BOARD,
        status=shapes.STATUS,
        mine=own(bool, False, "Only tasks that are assigned to the person"),
        q=shapes.WORDS,
        why=shapes.WHY,
    ),
    shapes.TASKS,
    audience="people",
    reads=True,
)
async def list_tasks(call: Call) -> Said:
    """List the tasks of a board, newest first; by status, by words, or only those that are assigned to the person.

    With why it says what each task waits for. get_task reads one of them. 404: no such board, or the person does not
    read it.
    """
    return shapes.part_of(await call.perform(assigned_user_id=call.actor.id if call["mine"] else None), "tasks")


@tools.tool(
    "Create a task",
    takes(
        "create_task", board_id=BOARD, **shapes.new_task(f"{shapes.AGENT}; left out, whichever agent claims it first")
    ),
    shapes.TASK_DETAIL,
    audience="people",
)
async def create_task(call: Call) -> Said:
    """Create a task on a board, in the person's name. Agents of the board can claim it immediately.

    Describe one piece of work, and when it is done. 403: the person may only read that board. 404: no such
    board, agent or task. 409: it waits for other tasks and cannot have an assignee yet.
    """
    task = await call.perform()
    return f"Task #{task['number']} is on the board.", task


@tools.tool(
    "Comment on a task",
    takes("create_task_comment", task_id=shapes.TASK, message=shapes.required(shapes.MARKDOWN)),
    shapes.COMMENT,
    audience="people",
)
async def comment(call: Call) -> Said:
    """Say something about a task, in the person's name. The assigned and the mentioned agents are notified.

    403: the person may only read that board. 404: no such task, or the person does not read its board.
    """
    return "Said.", await call.perform()
