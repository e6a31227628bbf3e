"""The history of attempts over HTTP: of a task for everybody on the board, of an agent for admins."""

from typing import Any

from quart import Blueprint

from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent
from mission_control.claims import run_queries
from mission_control.claims.run_schemas import AgentRunRead, RunRead
from mission_control.core.actor import Actor
from mission_control.core.hints import BOARD_ROLES, hints
from mission_control.core.operation import operation
from mission_control.core.paging import Page, Paging, page
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task
from mission_control.tasks.queries import visible_task

api = Blueprint("claims_runs_api", __name__, url_prefix="/api/v1")
RUNS = f"{TASK}/runs"


@operation(
    api,
    "GET",
    f"/agent{RUNS}",
    operation_id="list_runs_api_v1_agent_boards__board_id__tasks__task_id__runs_get",
    tags=BOARD_ROLES,
    who="agent",
    find=visible_task,
    query=Paging,
    returns=Page[RunRead],
    hints=hints(
        "agent_task_run_discovery",
        "any_agent",
        use="To see what was tried before: summaries, evidence and why earlier attempts ended.",
        avoid="Not to find work; claim it.",
        never="Do not repeat an approach that an earlier run gave up for a reason that still holds.",
        route="After claiming a task whose fence is above 1.",
        example="what did earlier attempts at this task find out",
    ),
)
@operation(
    api,
    "GET",
    RUNS,
    operation_id="list_runs_api_v1_boards__board_id__tasks__task_id__runs_get",
    tags=("tasks",),
    who="actor",
    find=visible_task,
    query=Paging,
    returns=Page[RunRead],
)
async def list_runs(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List the attempts at a task, newest first."""
    found, total = await run_queries.runs_of_task(task, query)
    return page(found, total, query)


@operation(
    api,
    "GET",
    "/agents/<agent_id>/runs",
    operation_id="list_agent_runs_api_v1_agents__agent_id__runs_get",
    tags=("agents",),
    who="user",
    find=visible_agent,
    verb="agent.read",
    query=Paging,
    returns=Page[AgentRunRead],
)
async def list_agent_runs(actor: Actor, agent: Agent, query: Paging) -> dict[str, Any]:
    """List an agent's attempts at tasks, newest first."""
    found, total = await run_queries.runs_of_agent(agent, query)
    return page(found, total, query)
