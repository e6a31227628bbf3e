"""The gateway of a board on pages: which one can be chosen, and what it needs before agents work there."""

from mission_control.boards.models import Board
from mission_control.boards.view import PAGE, BoardView, News
from mission_control.core.actor import Actor
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateways
from mission_control.live.models import Event
from mission_control.web.fragments import render_macro
from mission_control.web.regions import Concerns, Region

STATES = {
    "connected": "connected",
    "connecting": "being connected",
    "pairing": "waits for pairing",
    "unreachable": "cannot be reached",
    "refused": "refuses the connection",
}
NEEDS = {
    "connecting": "is being connected",
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


async def gateway_line(view: BoardView) -> str:
    """Return what the gateway of a board needs, nothing while it is connected."""
    if view.board.gateway_id is None:
        return ""
    gateway = await Gateway.get_or_none(id=view.board.gateway_id, organization_id=view.board.organization_id)
    if gateway is not None and gateway.state == "connected":
        return ""
    name, state = (gateway.name, gateway.state) if gateway else ("", "")
    may_open = gateway is not None and view.rights.is_admin
    url = f"/gateways/{view.board.gateway_id}" if may_open else ""
    needs = NEEDS.get(state, "is gone")
    return render_macro("boards/gateway.html", "gateway_line", name=name, state=state, needs=needs, url=url)


def _is_about(view: BoardView, news: News) -> bool:
    if isinstance(news, Event):
        return news.board_id == view.board.id or news.subject_id == view.board.gateway_id
    return news.get("gateway_id") == str(view.board.gateway_id)


REGIONS = (
    Region(
        PAGE,
        "#board-gateway",
        Concerns[BoardView](("board.updated", "gateway."), ("gateway_id",), _is_about),
        gateway_line,
        key=lambda view: (view.board.id, view.rights),
    ),
)
