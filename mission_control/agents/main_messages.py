"""What a gateway's main agent says to the leads of its boards."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from quart import current_app, has_app_context

from mission_control.agents.coordination import require_gateway
from mission_control.agents.coordination_schemas import REPLY_SOURCE, REPLY_TAGS, GatewayLeadMessageRequest
from mission_control.agents.leads import create_lead
from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core.actor import Actor
from mission_control.core.json import to_json
from mission_control.core.scope import Scope

HEADERS = {"question": "GATEWAY MAIN QUESTION", "handoff": "GATEWAY MAIN HANDOFF"}


@dataclass(frozen=True, slots=True)
class Sent:
    """Which lead a message is for, whether it was created for that, and the delivery."""

    lead: Agent
    is_new: bool
    delivery_id: UUID


@command("agent.message_leads")
async def message_lead(actor: Actor, board: Board, new: GatewayLeadMessageRequest) -> Sent:
    """Send a message to a board's lead; create the lead where there is none."""
    await require_gateway(actor.gateway_id)
    board = await locked_board(board)
    lead, is_new = await _lead_of(board)
    delivery = deliver(
        NOTICE,
        board.scope(),
        agent_id=lead.id,
        header=HEADERS[new.kind],
        text="\n".join(_lines(actor, board, new)),
        deliver=False,
        from_agent_id=str(actor.id),
        correlation_id=_correlation(new),
        succeeded="gateway.main.lead_message.sent",
        failed="gateway.main.lead_message.failed",
        event={"agent_id": str(actor.id), "about": f"message for {lead.name}", "lead_agent_id": str(lead.id)},
    )
    return Sent(lead, is_new, delivery.id)


@command("agent.message_leads")
async def record_broadcast(actor: Actor, thing: None, boards: Sequence[UUID], delivery_ids: Sequence[UUID]) -> None:
    """Record that a message went out to the leads of some boards."""
    where = Scope(actor.organization_id, subject_id=actor.gateway_id)
    count = f"{len(boards)} {'board' if len(boards) == 1 else 'boards'}"
    sentence = f"Message to the leads of {count}."
    record(
        "gateway.main.lead_broadcast.sent",
        where,
        sentence,
        agent_id=actor.agent_id,
        board_ids=[str(one) for one in boards],
        delivery_ids=[str(one) for one in delivery_ids],
    )


async def _lead_of(board: Board) -> tuple[Agent, bool]:
    if known := await lead_id_of(board.id):
        return await Agent.get(id=known), False
    agent, _ = await create_lead(board)
    return agent, True


def _lines(actor: Actor, board: Board, new: GatewayLeadMessageRequest) -> list[str]:
    tags = [tag for tag in new.reply_tags if tag != "chat"] or list(REPLY_TAGS)
    named = [f"Correlation ID: {correlation}"] if (correlation := _correlation(new)) else []
    about = ", with the correlation ID in the text" if named else ""
    return [
        f"Board: {board.name}",
        f"Board ID: {board.id}",
        f"From: {actor.name}",
        *named,
        "",
        new.content,
        "",
        f"Answer in the board's memory, not in its chat{about}:",
        f"POST {address(f'/api/v1/agent/boards/{board.id}/memory')}",
        memory_body(tags, new.reply_source or REPLY_SOURCE),
    ]


def _correlation(new: GatewayLeadMessageRequest) -> str | None:
    return (new.correlation_id or "").strip() or None


def address(path: str) -> str:
    """Return a path of the API as agents can call it."""
    base = current_app.config["SETTINGS"].base_url if has_app_context() else ""
    return f"{(base or '').rstrip('/')}{path}"


def memory_body(tags: Sequence[str], source: str) -> str:
    """Return the body by which an agent answers in a board's memory."""
    return to_json({"content": "...", "tags": list(tags), "source": source}).decode()
