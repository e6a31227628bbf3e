"""Questions of leads to people that the main agent of their gateway passes on."""

from uuid import UUID

from mission_control.agents.coordination import address, memory_body, require_gateway
from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.agents.reactions import NOTICE
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver
from mission_control.core.actor import Actor
from mission_control.questions.schemas import REPLY_SOURCE, REPLY_TAGS, GatewayMainAskUserRequest

HEADER = "LEAD REQUEST: ASK USER"


async def main_agent_of(board: Board) -> Agent | None:
    """Return the main agent of a board's gateway, None without a gateway or a main agent."""
    return None if board.gateway_id is None else await main_agent_on(board.gateway_id)


@command("question.ask_as_lead")
async def ask_through_gateway(actor: Actor, board: Board, main: Agent, new: GatewayMainAskUserRequest) -> UUID:
    """Have a gateway's main agent ask people; return the delivery's id."""
    await require_gateway(main.gateway_id)
    delivery = deliver(
        NOTICE,
        board.scope(),
        agent_id=main.id,
        header=HEADER,
        text="\n".join(_lines(actor, board, new)),
        deliver=True,
        from_agent_id=str(actor.id),
        correlation_id=new.correlation_id,
        succeeded="gateway.lead.ask_user.sent",
        failed="gateway.lead.ask_user.failed",
        event={"agent_id": str(actor.id), "about": f"question for people, by {main.name}"},
    )
    return delivery.id


def _lines(actor: Actor, board: Board, new: GatewayMainAskUserRequest) -> list[str]:
    known = (("Correlation ID", new.correlation_id), ("Preferred channel", new.preferred_channel))
    tags = [tag for tag in dict.fromkeys(new.reply_tags) if tag and tag != "chat"] or list(REPLY_TAGS)
    path = address(f"/api/v1/agent/boards/{board.id}/memory")
    return [
        f"Board: {board.name}",
        f"Board ID: {board.id}",
        f"From lead: {actor.name}",
        *(f"{name}: {text}" for name, text in known if text),
        "",
        new.content,
        "",
        "Ask the user this, over the preferred channel if there is one, else over the one where they answer soonest. If"
        " no channel reaches them, say so in the board's chat.",
        "Write the answer to the board's memory, word for word:",
        f"POST {path}",
        memory_body(tags, new.reply_source or REPLY_SOURCE),
        "Then tell the lead in the chat of the board that the answer is there:",
        f"POST {path}",
        '{"content": "@lead ...", "tags": ["chat"]}',
    ]
