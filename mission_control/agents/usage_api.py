"""Usage reports of agents."""

from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import own_agent
from mission_control.agents.work_state import directive_of
from mission_control.core.actor import Actor
from mission_control.core.errors import Forbidden, NotFound
from mission_control.core.schemas import LLMErrorResponse
from mission_control.database.sql import as_id, rows
from mission_control.operations.api import ALL_ROLES, Api, hints
from mission_control.usage import budgets
from mission_control.usage.queries import UsageReport, UsageReported, budget_states, sums_of_agent

api = Api(__name__, below="/agent")


@api.post(
    "/usage",
    UsageReported,
    find=own_agent,
    errors={404: LLMErrorResponse, 422: LLMErrorResponse},
    hints=hints(
        "agent_usage_report",
        roles=ALL_ROLES,
        use="After each piece of work, with the tokens and the money that it cost since your last report.",
        avoid="Not with sums since you started; each report is added to the others.",
        needs="You know your model's token counts; money is optional.",
        effects="Your budgets are drawn on; the answer says what is left and whether to continue, pause or stop.",
        never="Do not go on working when the directive is stop.",
        route="After a step of work; with task_id when it was for one task.",
        example="report how many tokens I used",
    ),
)
async def report_usage(actor: Actor, agent: Agent, data: UsageReport) -> dict[str, Any]:
    """Report what you used up since your last report.

    Money is in US dollars, as a number or as text. The answer has the sums of today (UTC) and of all time, and the
    budgets of yours, of your board and of your organization. A report of nothing only reads them. With an
    `Idempotency-Key` a repeated report counts once.
    """
    if agent.board_id is None:
        raise Forbidden("An agent without a board has no usage here.")
    run_id = await _run_of(agent, data.task_id, data.fence) if data.task_id else None
    await budgets.report_usage(
        actor, agent.id, board_id=agent.board_id, task_id=data.task_id, run_id=run_id, **data.figures()
    )
    states = await budget_states(agent.id, agent.board_id, agent.organization_id)
    directive = await directive_of(agent)
    return await sums_of_agent(agent.id) | {"budgets": states} | directive._asdict()


async def _run_of(agent: Agent, task_id: UUID, fence: int | None) -> UUID | None:
    """Return the agent's newest run of a task, or the one with a fence; 404 for other boards' tasks and others' runs.

    Deleted tasks count: the usage remains.
    """
    if not await rows("SELECT 1 AS one FROM tasks WHERE id = ? AND board_id = ?", task_id, agent.board_id):
        raise NotFound("There is no such task on your board.")
    named, values = ("", [task_id, agent.id]) if fence is None else (" AND fence = ?", [task_id, agent.id, fence])
    found = await rows(
        f"SELECT id FROM task_runs WHERE task_id = ? AND agent_id = ?{named} ORDER BY fence DESC LIMIT 1", *values
    )
    if fence is not None and not found:
        raise NotFound("This lease of the task was not yours.")
    return as_id(found[0]["id"]) if found else None
