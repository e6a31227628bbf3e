"""Commands of leads for their colleagues, and of a gateway's main agent for the leads of its boards."""

from collections.abc import Sequence
from uuid import UUID

from quart import current_app, has_app_context

from mission_control.agents.commands import create_lead, keep_soul, locked_agent
from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.agents.reactions import NOTICE
from mission_control.agents.schemas import (
    REPLY_SOURCE,
    REPLY_TAGS,
    GatewayLeadMessageRequest,
    GatewayLeadMessageResponse,
    SoulUpdateRequest,
)
from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, Scope
from mission_control.core.errors import ErrorCode, Invalid, Unreachable, existing
from mission_control.core.values import to_json
from mission_control.database.sql import rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import deliver, record
from mission_control.gateways.connections import connector
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError

EVENTS = (
    Kind("agent.nudge.sent", "A lead put a word into a colleague's inbox.", "nudged"),
    Kind("agent.nudge.failed", "The nudge of a lead was given up.", "could not nudge"),
    Kind(
        "gateway.main.lead_message.sent",
        "A board's lead got a message of the gateway's main agent.",
        "wrote to the lead",
    ),
    Kind(
        "gateway.main.lead_message.failed",
        "A message of a gateway's main agent to a lead was given up.",
        "could not write to the lead",
    ),
    Kind(
        "gateway.main.lead_broadcast.sent",
        "A gateway's main agent wrote to the leads of several boards.",
        "wrote to the leads",
    ),
    Kind(
        "agent.soul.updated",
        "A lead gave a colleague another soul; the old one stays in its history.",
        "gave another soul to",
    ),
)


async def colleague_on(board: Board, agent_id: UUID) -> Agent:
    agent = await existing(Agent.get_or_none(id=agent_id, board_id=board.id))
    agent.board = board
    return agent


@command("agent.coordinate")
async def nudge_agent(actor: Actor, board: Board, agent: Agent, message: str) -> UUID:
    """Send a text with its sender to a colleague: to its inbox, or its session on a gateway. Return the delivery's id.

    An inbox has it at once; on a gateway it is recorded when it arrived or was given up.
    """
    agent = await locked_agent(agent)
    text = f"From: {actor.name}\n\n{message}"
    is_on_gateway, event = agent.gateway_id is not None, None
    if is_on_gateway:
        await _require_session(agent)
        event = {"agent_id": str(actor.agent_id), "about": f"nudge for {agent.name}", "to_agent_id": str(agent.id)}
        event["text"] = message
    else:
        sentence = f"Agent nudged: {agent.name}."
        record("agent.nudge.sent", agent, sentence, agent_id=actor.agent_id, to_agent_id=agent.id, text=message)
    return deliver(
        NOTICE,
        agent.scope(),
        agent_id=agent.id,
        header="NUDGE",
        text=text,
        deliver=True,
        succeeded="agent.nudge.sent" if is_on_gateway else None,
        failed="agent.nudge.failed" if is_on_gateway else None,
        event=event,
    ).id


async def _require_session(agent: Agent) -> None:
    """Raise Invalid when an agent of a gateway has no session yet, or its gateway cannot work by its settings."""
    if agent.openclaw_session_id is None:
        raise Invalid({"message": f"{agent.name} has no session yet.", "code": ErrorCode.AGENT_WITHOUT_SESSION})
    await require_gateway(agent.gateway_id)


async def require_gateway(gateway_id: UUID | None) -> None:
    """Raise Invalid when a gateway cannot work by its settings."""
    gateway = await Gateway.get_or_none(id=gateway_id)
    if gateway is None or not gateway.url.strip():
        message = "The gateway was deleted." if gateway is None else "The gateway has no address. Add one on its page."
        raise Invalid({"message": message, "code": ErrorCode.GATEWAY_UNUSABLE})


@command("agent.coordinate")
async def write_soul(actor: Actor, board: Board, agent: Agent, new: SoulUpdateRequest) -> list[UUID]:
    """Set the soul of a colleague; on a gateway its file is written in the background. Return the notices' ids."""
    agent = await locked_agent(agent)
    if agent.gateway_id is not None:
        await _require_session(agent)
    if agent.soul_template == new.content:
        return []
    before, agent.soul_template = agent.soul_template, new.content
    agent.updated_at = times.clock_now()
    await agent.save(update_fields=["soul_template", "updated_at"])
    soul, delivery_ids = await keep_soul(agent, before, new.source_url, new.reason)
    why = "".join(f" {word}: {text}" for word, text in (("Reason", new.reason), ("Source", new.source_url)) if text)
    record(
        "agent.soul.updated",
        agent,
        f"Soul updated: {agent.name}.{why}",
        agent_id=actor.agent_id,
        soul_id=soul.id,
        source_url=new.source_url,
        reason=new.reason,
    )
    return delivery_ids


FILE = "SOUL.md"
NO_ANSWER = "The gateway did not give the agent's soul. Try again later."


async def current_soul(agent: Agent) -> str:
    """Return the soul of an agent: the stored text, or the file of an agent on a gateway.

    While its files there are being written, a text that was set is the one that they get.

    Raise Invalid for an agent that is not set up there, Unreachable when the gateway does not answer.
    """
    if agent.gateway_id is None:
        return agent.soul_template or ""
    if not agent.gateway_agent_id or agent.openclaw_session_id is None:
        raise Invalid({"message": f"{agent.name} has no session yet.", "code": ErrorCode.AGENT_WITHOUT_SESSION})
    await require_gateway(agent.gateway_id)
    pending = "SELECT 1 AS one FROM provisioning_jobs WHERE agent_id = ? AND state IN ('waiting', 'running') LIMIT 1"
    if agent.soul_template is not None and await rows(pending, agent.id):
        return agent.soul_template
    try:
        file = {"agentId": agent.gateway_agent_id, "name": FILE}
        text = _text(await connector.call(agent.gateway_id, "agents.files.get", file))
    except GatewayError as error:
        raise Unreachable(NO_ANSWER) from error
    if text is None:
        raise Unreachable(NO_ANSWER)
    return text


def _text(answer: object) -> str | None:
    if isinstance(answer, str):
        return answer
    file = answer.get("file", answer) if isinstance(answer, dict) else None
    if not isinstance(file, dict):
        return None
    content = file.get("content")
    return "" if content is None and file.get("missing") else content if isinstance(content, str) else None


HEADERS = {"question": "GATEWAY MAIN QUESTION", "handoff": "GATEWAY MAIN HANDOFF"}


@command("agent.message_leads")
async def message_lead(actor: Actor, board: Board, new: GatewayLeadMessageRequest) -> GatewayLeadMessageResponse:
    """Send a message to a board's lead; create the lead where there is none."""
    await require_gateway(actor.gateway_id)
    board = await locked_board(board)
    lead_id = await lead_id_of(board.id)
    lead = await Agent.get(id=lead_id) if lead_id else (await create_lead(board))[0]
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
    return GatewayLeadMessageResponse(
        board_id=board.id,
        lead_agent_id=lead.id,
        lead_agent_name=lead.name,
        lead_created=lead_id is None,
        delivery_ids=[delivery.id],
    )


@command("agent.message_leads")
async def record_broadcast(actor: Actor, thing: None, boards: Sequence[UUID], delivery_ids: Sequence[UUID]) -> None:
    """Record that a message went out to the leads of some boards."""
    record(
        "gateway.main.lead_broadcast.sent",
        Scope(actor.organization_id, subject_id=actor.gateway_id),
        f"Message to the leads of {len(boards)} {'board' if len(boards) == 1 else 'boards'}.",
        agent_id=actor.agent_id,
        board_ids=[str(board_id) for board_id in boards],
        delivery_ids=[str(delivery_id) for delivery_id in delivery_ids],
    )


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
    base = current_app.config["SETTINGS"].base_url if has_app_context() else ""
    return f"{(base or '').rstrip('/')}{path}"


def memory_body(tags: Sequence[str], source: str) -> str:
    return to_json({"content": "...", "tags": list(tags), "source": source}).decode()
