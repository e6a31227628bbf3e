"""Over HTTP: the attempts at a task and those of an agent, and what a task waits for."""

from typing import Any

from mission_control.agents.models import Agent
from mission_control.claims import queries
from mission_control.claims.queries import AgentRunRead, RunRead, TaskWaitingRead
from mission_control.claims.waiting import reasons_of
from mission_control.core.actor import Actor
from mission_control.core.paging import Page, Paging, page
from mission_control.operations.api import Api, hints
from mission_control.tasks.api import TASK
from mission_control.tasks.models import Task

api = Api(__name__, "tasks", who="actor")
RUNS, WAITING = f"{TASK}/runs", f"{TASK}/waiting"


@api.get(
    RUNS,
    Page[RunRead],
    agents=hints(
        "agent_task_run_discovery",
        use="To see what was tried before: summaries, evidence and why earlier attempts ended.",
        avoid="Not to find work; claim it.",
        never="Do not repeat an approach that an earlier run gave up for a reason that still holds.",
        route="After claiming a task whose fence is above 1.",
        example="what did earlier attempts at this task find out",
    ),
)
async def list_task_runs(actor: Actor, task: Task, query: Paging) -> dict[str, Any]:
    """List the attempts at a task, newest first."""
    found, total = await queries.runs_of_task(task.id, query)
    return page(found, total, query)


@api.get("/agents/<agent_id>/runs", Page[AgentRunRead], who="user", tags=("agents",), rule="agent.read")
async def list_agent_runs(actor: Actor, agent: Agent, query: Paging) -> dict[str, Any]:
    """List an agent's attempts at tasks, newest first."""
    found, total = await queries.runs_of_agent(actor, agent, query)
    return page(found, total, query)


@api.get(
    WAITING,
    TaskWaitingRead,
    agents=hints(
        "agent_task_waiting",
        use="When a task does not move, or a claim or a change of it was refused, to learn everything it waits for.",
        avoid="Not in a loop; a waiting claim is notified when there is work.",
        never="Do not work around a reason: a decision, a rule and a pause are meant.",
        route="For many tasks at once list them with include_waiting=true.",
        example="why does nobody work on this task",
    ),
)
async def explain_waiting(actor: Actor, task: Task) -> dict[str, Any]:
    """Say what a task waits for.

    Every reason has a sentence for people and the ids that it is about: unfinished tasks, decisions, rules of the
    board, limits, a pause, who holds it until when. The list of tasks has them too with `include_waiting=true`.
    """
    return {"task_id": task.id, "reasons": (await reasons_of([task.id])).get(str(task.id), [])}
