"""Who the agent is, where it works, and whether it should."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from mission_control.agents.queries import own_agent
from mission_control.agents.work_state import directive_of
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core.actor import Actor
from mission_control.mcp.doors import home, perform
from mission_control.mcp.registry import Arguments, tool

RULES = {
    "require_approval_for_done": "A task is done only after a person approved it: finish_task asks for that by itself.",
    "require_review_before_done": "A task passes review before it is done.",
    "comment_required_for_review": "A task goes to review only with a comment that says what was done.",
    "block_status_changes_with_pending_approval": "A task with a pending approval does not move.",
    "only_lead_can_change_status": "Only the lead moves tasks; nothing can be claimed.",
}

Directive = Literal["continue", "pause", "stop"]


class Nothing(Arguments):
    """No arguments."""


class BoardShown(BaseModel):
    """The board on which you work; its rules hold for you."""

    id: UUID
    name: str
    description: str
    objective: str | None
    success_metrics: dict[str, Any] | None
    rules: list[str]


class Colleague(BaseModel):
    """Another agent of the board."""

    id: UUID
    name: str
    status: str
    is_board_lead: bool


class WhoAmI(BaseModel):
    """You, your board, your colleagues, and whether to work at all."""

    agent_id: UUID
    name: str
    role: Literal["lead", "worker"]
    scopes: list[str] | None
    soul: str | None
    directive: Directive
    directive_reason: str | None
    board: BoardShown
    colleagues: list[Colleague]


@tool("Who am I", Nothing, WhoAmI, reads=True)
async def who_am_i(actor: Actor, _: Nothing) -> tuple[str, Any]:
    """Learn who you are, what your board is for, which rules hold there, and who works beside you.

    Call it first, once a session. `role` says whether you lead or work; `soul` is how people want you to think and
    behave; `directive` is what to do now: continue, pause (finish what you hold, take nothing new) or stop.
    """
    board = await visible_board(actor, home(actor))
    agent = await own_agent(actor)
    roster = await perform("agent_roster_discovery", actor)
    role = "lead" if actor.is_lead else "worker"
    told = await directive_of(agent)
    values = {
        "agent_id": agent.id,
        "name": agent.name,
        "role": role,
        "scopes": sorted(actor.scopes) if actor.scopes is not None else None,
        "soul": agent.soul_template,
        "board": _shown(board),
        "colleagues": [one for one in roster["items"] if one.id != agent.id],
        **told._asdict(),
    }
    return f"You are {agent.name}, a {role} on the board {board.name}. Directive: {told.directive}.", values


def _shown(board: Board) -> dict[str, Any]:
    values = {name: getattr(board, name) for name in BoardShown.model_fields if name != "rules"}
    return {**values, "rules": [sentence for name, sentence in RULES.items() if getattr(board, name)]}


class Checked(BaseModel):
    """Whether to go on, and why not."""

    status: str
    directive: Directive
    directive_reason: str | None


@tool("Say that you are alive", Nothing, Checked, repeats=True)
async def heartbeat(actor: Actor, _: Nothing) -> tuple[str, Any]:
    """Say that you are alive, and learn whether to go on.

    Call it every few minutes while you work on something long. `directive`: continue; pause: finish what you hold but
    take nothing new; stop: end your work now, release what you hold, and do not claim again.
    """
    answer = await perform("agent_heartbeat", actor)
    return f"Directive: {answer.directive}.", answer
