"""Over HTTP: what a gateway's main agent says to leads, usage reports, and souls for people."""

from uuid import UUID

from mission_control.agents import budgets
from mission_control.agents.commands import list_souls, update_agent
from mission_control.agents.coordination import message_lead, record_broadcast, require_gateway
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.queries import own_agent, visible_agent
from mission_control.agents.schemas import (
    AgentRead,
    AgentSoulUpdate,
    GatewayLeadBroadcastBoardResult,
    GatewayLeadBroadcastRequest,
    GatewayLeadBroadcastResponse,
    GatewayLeadMessageRequest,
    GatewayLeadMessageResponse,
    SoulRead,
)
from mission_control.agents.sums import sums_of_agent
from mission_control.agents.usage_queries import UsageReport, UsageReported, budget_states
from mission_control.agents.work_state import directive_of
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import DomainError, ErrorCode, Forbidden, NotFound
from mission_control.core.values import LLMErrorResponse, Page, Paging, page
from mission_control.database.sql import as_id, rows
from mission_control.http.operation_api import ALL_ROLES, Api, hints

api = Api(__name__, below="/agent")
REFUSALS = dict.fromkeys((403, 404, 422, 502), LLMErrorResponse)
VERB = "agent.message_leads"


def only_main_agents() -> Forbidden:
    """The refusal for every agent that works on a board."""
    message = "Only the main agent of a gateway does this; you work on a board. Use its memory, its chat or a nudge."
    return Forbidden({"message": message, "code": ErrorCode.MAIN_AGENT_ONLY})


async def main_agent(actor: Actor, **_: object) -> None:
    """Refuse callers that are not main agents, before any look-up, and gateways that cannot work."""
    if not can(actor, VERB):
        raise only_main_agents()
    await require_gateway(actor.gateway_id)


async def board_of_gateway(actor: Actor, board_id: UUID) -> Board:
    """A board of the calling main agent's gateway, looked up after the caller's role."""
    await main_agent(actor)
    return await visible_board(actor, board_id)


@api.post(
    "/gateway/boards/<board_id>/lead/message",
    find=board_of_gateway,
    rule=VERB,
    errors=REFUSALS,
    hints=hints(
        "lead_direct_routing",
        "agent_main",
        use="As a gateway's main agent, to ask one board's lead or to hand something over to it.",
        avoid="Not for several boards; broadcast. Not as an agent of a board; use its chat.",
        needs="You are the main agent of the board's gateway.",
        effects="The lead gets the message and answers in the board's memory.",
        never="Do not send it again while the lead's answer is due.",
        route="Main agents of gateways only; everybody else is refused.",
        example="ask the lead of one board",
    ),
)
async def agent_main_message_board_lead(
    actor: Actor, board: Board, data: GatewayLeadMessageRequest
) -> GatewayLeadMessageResponse:
    """Send a message to a board's lead, as the main agent of the board's gateway. A board without lead gets one."""
    sent = await message_lead(actor, board, data)
    return GatewayLeadMessageResponse(
        board_id=board.id,
        lead_agent_id=sent.lead.id,
        lead_agent_name=sent.lead.name,
        lead_created=sent.is_new,
        delivery_ids=[sent.delivery_id],
    )


@api.post(
    "/gateway/leads/broadcast",
    find=main_agent,
    rule=VERB,
    errors=REFUSALS,
    hints=hints(
        "lead_broadcast_routing",
        "agent_main",
        use="As a gateway's main agent, to tell or ask the leads of several boards the same.",
        avoid="Not for one board; send the message to its lead.",
        needs="You are the main agent of the boards' gateway.",
        effects="Each lead gets the message; the answer says for which boards it was accepted.",
        never="Do not broadcast what concerns one board only.",
        route="Main agents of gateways only; everybody else is refused.",
        example="tell all leads about a new rule",
    ),
)
async def agent_main_broadcast_lead_message(
    actor: Actor, found: None, data: GatewayLeadBroadcastRequest
) -> GatewayLeadBroadcastResponse:
    """Send a message to the leads of your gateway's boards, the newest board first.

    `sent` counts what was accepted for delivery; what went wrong on one board stops no other.
    """
    boards = Board.visible_to(actor)
    if data.board_ids:
        boards = boards.filter(id__in=data.board_ids)
    delivery_ids: list[UUID] = []
    results = [
        await _message_one(actor, board, data, delivery_ids) for board in await boards.order_by("-created_at", "-id")
    ]
    sent = [one.board_id for one in results if one.ok]
    await record_broadcast(actor, None, sent, delivery_ids)
    return GatewayLeadBroadcastResponse(
        sent=len(sent), failed=len(results) - len(sent), results=results, delivery_ids=delivery_ids
    )


async def _message_one(
    actor: Actor, board: Board, data: GatewayLeadBroadcastRequest, delivery_ids: list[UUID]
) -> GatewayLeadBroadcastBoardResult:
    try:
        sent = await message_lead(actor, board, data)
    except DomainError as error:
        return GatewayLeadBroadcastBoardResult(board_id=board.id, error=error.sentence)
    delivery_ids.append(sent.delivery_id)
    lead = sent.lead
    return GatewayLeadBroadcastBoardResult(board_id=board.id, lead_agent_id=lead.id, lead_agent_name=lead.name, ok=True)


usage_api = Api(__name__, below="/agent")


@usage_api.post(
    "/usage",
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
async def report_usage(actor: Actor, agent: Agent, data: UsageReport) -> UsageReported:
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
    sums = await sums_of_agent(agent.id)
    return UsageReported(today=sums.today, total=sums.total, budgets=states, **directive._asdict())


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


souls_api = Api(__name__, "agents")


@souls_api.get("/agents/<agent_id>/souls", Page[SoulRead], rule="agent.read")
async def list_agent_souls(actor: Actor, agent: Agent, query: Paging) -> dict[str, object]:
    """List what an agent's soul is and was, newest first, with who wrote it and why."""
    found, total = await list_souls(agent, query)
    return page(found, total, query)


@souls_api.put("/agents/<agent_id>/soul", rule="agent.update")
async def update_agent_soul(actor: Actor, agent: Agent, data: AgentSoulUpdate) -> AgentRead:
    """Give an agent another soul, or none. The text before stays in its history, and the agent is notified."""
    changes = {"soul_template": data.content}
    return AgentRead.of(await update_agent(actor, agent, changes, soul_reason=data.reason))


async def soul_of_agent(actor: Actor, agent_id: UUID, soul_id: UUID) -> tuple[Agent, AgentSoul]:
    """Return an agent that the actor may change, and a text from the history of its soul."""
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.update", agent)
    soul = await AgentSoul.get_or_none(id=soul_id, agent_id=agent.id)
    if soul is None:
        raise NotFound()
    return agent, soul


@souls_api.post("/agents/<agent_id>/souls/<soul_id>/restorations", find=soul_of_agent)
async def restore_agent_soul(actor: Actor, found: tuple[Agent, AgentSoul]) -> AgentRead:
    """Give an agent a soul from its history again."""
    agent, soul = found
    reason = f"Back to the text of {soul.created_at:%Y-%m-%d %H:%M} UTC."
    changes = {"soul_template": soul.content or None}
    return AgentRead.of(await update_agent(actor, agent, changes, soul_reason=reason))
