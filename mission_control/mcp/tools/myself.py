"""Who the agent is, where it works, and whether it should."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.agents.queries import own_agent
from mission_control.agents.schemas import Directive
from mission_control.agents.work_state import directive_of
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.mcp.adapters import home, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.mcp.shapes import BoardDetails, Colleague, board_details

tools = Tools()


class Nothing(Arguments):
    """No arguments."""


class WhoAmI(BaseModel):
    """You, your board, your colleagues, and whether to work at all."""

    agent_id: UUID
    name: str
    role: Literal["lead", "worker"]
    scopes: list[str] | None
    soul: str | None
    directive: Directive
    directive_reason: str | None
    board: BoardDetails
    colleagues: list[Colleague]


@tools.tool("Who am I", Nothing, WhoAmI, reads=True)
async def who_am_i(actor: Actor, _: Nothing) -> tuple[str, Any]:
    """Learn who you are, what your board is for, which rules hold there, and who works with you.

    Call it first, once a session. `role` says whether you lead or work; `soul` is how people want you to think and
    behave; `directive` is what to do now: continue, pause (finish what you hold, take nothing new) or stop.
    """
    board = await visible_board(actor, home(actor))
    agent = await own_agent(actor)
    roster = await perform("agent_list_agents", actor)
    role = "lead" if actor.is_lead else "worker"
    directive = await directive_of(agent)
    values = {
        "agent_id": agent.id,
        "name": agent.name,
        "role": role,
        "scopes": sorted(actor.scopes) if actor.scopes is not None else None,
        "soul": agent.soul_template,
        "board": board_details(board),
        "colleagues": [one for one in roster["items"] if one.id != agent.id],
        **directive._asdict(),
    }
    return f"You are {agent.name}, a {role} on the board {board.name}. Directive: {directive.directive}.", values


class Beat(Arguments):
    """How long to wait for another directive."""

    wait_seconds: Annotated[int, Field(ge=0, le=50)] = 0
    known: Annotated[Directive, Field(description="The directive that you have")] = "continue"


class Checked(BaseModel):
    """Whether to continue, and if not, why."""

    status: str
    directive: Directive
    directive_reason: str | None


@tools.tool("Say that you are alive", Beat, Checked, repeats=True)
async def heartbeat(actor: Actor, asked: Beat) -> tuple[str, Any]:
    """Send a heartbeat, and learn whether to continue.

    Call it every few minutes while you work on something long. `directive`: continue; pause: finish what you hold but
    take nothing new; stop: end your work now, release what you hold, and do not claim again. With wait_seconds it
    answers as soon as that is no longer `known`.
    """
    answer = await perform("agent_heartbeat", actor, query=asked.model_dump())
    return f"Directive: {answer.directive}.", answer
