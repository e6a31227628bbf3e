"""Whether agents may take up work: their own state, their board's, and the organization's."""

from typing import NamedTuple
from uuid import UUID

from mission_control.core.errors import Conflict
from mission_control.database.sql import rows
from mission_control.organizations.work_state import PAUSED, RUNNING, STOPPED, may_hand_out


class Standing(NamedTuple):
    """The strongest state that holds for an agent on a board, and whose it is: `agent`, `board` or `organization`."""

    state: str
    who: str | None = None
    name: str = ""
    reason: str | None = None


async def refuse_when_paused(agent_id: UUID | None, board_id: UUID) -> None:
    """Inside a command that hands out work: 409 when the agent, the board or the organization is paused or stopped.

    The code is `agent_paused`, `board_paused` or `organization_paused`. Until the command ends, nothing is stopped.
    """
    await may_hand_out()
    standing = await standing_of(agent_id, board_id)
    if standing.state != RUNNING:
        raise paused(standing)


async def work_state_of(agent_id: UUID | None, board_id: UUID) -> tuple[str, str | None]:
    """The strongest state for an agent (or anybody) on a board, and whose it is; None when all are running."""
    standing = await standing_of(agent_id, board_id)
    return standing.state, standing.who


async def standing_of(agent_id: UUID | None, board_id: UUID) -> Standing:
    """As `work_state_of`, with the name of who is paused and the reason that was given."""
    found = await rows(
        "SELECT b.work_state AS board_state, b.name AS board_name, b.work_state_reason AS board_reason,"
        " o.work_state AS organization_state, o.name AS organization_name, o.work_state_reason AS organization_reason,"
        " a.work_state AS agent_state, a.name AS agent_name, a.work_state_reason AS agent_reason"
        " FROM boards b JOIN organizations o ON o.id = b.organization_id LEFT JOIN agents a ON a.id = ?"
        " WHERE b.id = ?",
        agent_id,
        board_id,
    )
    for state in (STOPPED, PAUSED):
        for who in ("agent", "board", "organization"):
            if found and found[0][f"{who}_state"] == state:
                return Standing(state, who, found[0][f"{who}_name"], found[0][f"{who}_reason"])
    return Standing(RUNNING)


def paused(standing: Standing) -> Conflict:
    """The refusal while somebody is paused or stopped."""
    whose = f"The {standing.who} {standing.name} is {standing.state}"
    message = f"{whose}: {standing.reason}" if standing.reason else f"{whose}. Nothing is handed out until it runs on."
    return Conflict({"message": message, "code": f"{standing.who}_paused"})
