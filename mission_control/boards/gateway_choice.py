"""The gateways that somebody can choose for a board."""

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.gateways.queries import visible_gateways

STATES = {
    "connected": "connected",
    "connecting": "being connected",
    "pairing": "waits for pairing",
    "unreachable": "cannot be reached",
    "refused": "refuses the connection",
}


async def gateway_choices(actor: Actor, board: Board | None = None) -> list[tuple[str, str]]:
    """Return the gateways that somebody can give a board, with their states; none for people who are no admins."""
    found = await visible_gateways(actor).order_by("name")
    choices = [(str(one.id), f"{one.name} ({STATES.get(one.state, one.state)})") for one in found]
    present = str(board.gateway_id) if board and board.gateway_id else ""
    if found and present and present not in dict(choices):
        choices.append((present, "A gateway that is gone"))
    return choices
