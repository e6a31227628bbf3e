"""Make the lead of a board that has none, as setting a board up and a gateway's main agent do."""

from mission_control.agents.commands import create_agent
from mission_control.agents.models import Agent
from mission_control.agents.schemas import AgentCreate
from mission_control.boards.models import Board
from mission_control.core.actor import system

NAME = "Lead Agent"
# What nobody said otherwise.
PROFILE = {"role": "Board Lead", "communication_style": "direct, concise, practical", "emoji": ":gear:"}


async def create_lead(
    board: Board, name: str | None = None, profile: dict[str, str] | None = None
) -> tuple[Agent, str | None]:
    """Create a lead; return it with the token of a direct one. The actor that asks for it need not be an admin."""
    wanted = AgentCreate(
        name=await free_name(board, name or NAME), identity_profile=PROFILE | (profile or {}), is_board_lead=True
    )
    return await create_agent(system(board.organization_id), board, wanted)


async def free_name(board: Board, wanted: str, *, of: Agent | None = None) -> str:
    """Return a name, with a number where another agent of the board has it."""
    found = await Agent.filter(board_id=board.id).only("id", "name")
    taken = {agent.name.lower() for agent in found if of is None or agent.id != of.id}
    names = [wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name.lower() not in taken)
