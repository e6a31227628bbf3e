"""The page that sets up a board: its goal and its lead."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.fields import AgentName, ShortText
from mission_control.agents.models import Agent
from mission_control.agents.token_pages import base_url
from mission_control.boards.days import goal_day, goal_moment
from mission_control.boards.forms import KINDS
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import as_lines, from_lines
from mission_control.core.actor import Actor, can, require
from mission_control.core.values import BlankToNone
from mission_control.gateway_agents.onboarding.conversation import Learned, learned_about
from mission_control.gateway_agents.onboarding.queries import (
    LONGEST_TEXT,
    BoardOnboardingAgentComplete,
    BoardOnboardingLeadAgentDraft,
    BoardOnboardingUserProfile,
    draft_of,
    latest_session,
)
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, go
from mission_control.web.fragments import PageContext
from mission_control.web.shell import shell_page, signed_in

AUTONOMY = [("ask_first", "Asks first"), ("balanced", "Asks when it matters"), ("autonomous", "Works alone")]
LABELS = {
    "board_type": "What it is", "objective": "Objective", "metrics": "Success metrics", "target_date": "Target date",
    "lead_name": "Name", "autonomy": "How much it decides", "instructions": "Instructions",
}  # fmt: skip


class AnswerForm(Form):
    """Chosen options, own words, or both. `typed` is the label of the option that own words stand for."""

    choice: list[str] = []
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    typed: str = ""
    seen: int | None = None

    def body(self, found: Board) -> Fields:
        text, chosen = self.text.strip(), ", ".join(self.choice) or self.typed.strip()
        if not (text or self.choice):
            raise FormInvalid(self.model_dump(), {"text": "Choose an answer or write one."})
        if not chosen:
            return {"answer": text, "seen": self.seen}
        return {"answer": chosen, "other_text": text or None, "seen": self.seen}


GOAL_NEEDS = {
    "objective": "Say what should be true in the end.",
    "metrics": "Name at least one metric; a goal is measured.",
}


class SetUpForm(BoardOnboardingUserProfile, Form):
    """A board's goal, and its lead when it has none yet."""

    board_type: Annotated[str, Field(max_length=64)] = "goal"
    objective: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    metrics: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    target_date: date | None = None
    lead_name: Annotated[AgentName | None, BlankToNone] = None
    autonomy: Literal["ask_first", "balanced", "autonomous"] = "balanced"
    instructions: ShortText | None = None

    def body(self, found: Board) -> Fields:
        try:
            metrics = from_lines(self.metrics, found.success_metrics)
        except ValueError as error:
            reason = str(error)
            raise FormInvalid(self.model_dump(), {"metrics": f"{reason[:1].upper()}{reason[1:]}."}) from None
        needed = {"objective": self.objective.strip(), "metrics": metrics}
        errors = {name: GOAL_NEEDS[name] for name, value in needed.items() if not value}
        if self.board_type == "goal" and errors:
            raise FormInvalid(self.model_dump(), errors)
        is_same = self.target_date == goal_day(found.target_date)  # then it keeps its time of day
        ticked = self.model_dump(include=set(BoardOnboardingUserProfile.model_fields), exclude_none=True)
        return {
            **self.model_dump(include={"board_type", "lead_name", "autonomy", "instructions"}),
            "objective": needed["objective"] or None,
            "success_metrics": metrics or None,
            "target_date": found.target_date if is_same else goal_moment(self.target_date),
            "user_profile": ticked or None,
        }


def kinds_of(board: Board) -> list[tuple[str, str]]:
    return KINDS if board.board_type in dict(KINDS) else [*KINDS, (board.board_type, board.board_type)]


def values_of(board: Board, draft: BoardOnboardingAgentComplete | None) -> FormValues:
    goal = draft or board
    lead = (draft and draft.lead_agent) or BoardOnboardingLeadAgentDraft()
    return {
        "board_type": goal.board_type, "objective": goal.objective, "metrics": as_lines(goal.success_metrics),
        "target_date": goal_day(goal.target_date), "lead_name": lead.name,
        "autonomy": lead.autonomy_level or "balanced", "instructions": lead.custom_instructions,
    }  # fmt: skip


pages = Blueprint("onboarding_pages", __name__)


async def settable_board(board_id: UUID) -> tuple[Actor, Board]:
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "onboarding.confirm", board)
    return replace(actor, organization_id=board.organization_id), board


def ways_of(board: Board) -> list[tuple[str, str, str, None]]:
    return [
        ("conversation", "Conversation", f"/boards/{board.id}/onboarding", None),
        ("form", "Form", f"/boards/{board.id}/setup", None),
    ]


@pages.get("/boards/<uuid:board_id>/setup")
async def set_up_form(board_id: UUID) -> ResponseReturnValue:
    actor, board = await settable_board(board_id)
    session = await latest_session(board.id)
    draft = draft_of(session) if session and session.status != "confirmed" else None
    return await _form(actor, board, values_of(board, draft), {}, await learned_about(actor, session))


async def _form(actor: Actor, board: Board, values: Fields, errors: dict[str, str], learned: list[Learned]) -> str:
    lead = await Agent.get_or_none(board_id=board.id, is_board_lead=True)
    context: PageContext = {"board": board, "lead": lead, "learned": learned, "values": values, "errors": errors}
    context |= {"labels": LABELS, "autonomy": AUTONOMY, "kinds": kinds_of(board), "ways": ways_of(board)}
    return await shell_page(actor, "gateway_agents/onboarding/setup.html", active=f"board-{board.id}", **context)


async def _not_set_up(refusal: Refusal[Board, SetUpForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    learned = await learned_about(refusal.actor, await latest_session(refusal.found.id), refusal.values)
    return await _form(refusal.actor, refusal.found, refusal.values, refusal.errors, learned)


@action(pages, "/boards/<uuid:board_id>/setup", form=SetUpForm, refused=_not_set_up)
async def confirm_onboarding(outcome: Outcome[Board, SetUpForm]) -> ResponseReturnValue:
    """Say what a board is for; a new lead's token is shown, once."""
    board, answer = outcome.found, outcome.answer
    if answer.lead_token is None:
        was_discussed = board.gateway_id is not None and await latest_session(board.id) is not None
        return go(f"/boards/{board.id}/onboarding" if was_discussed else f"/boards/{board.id}")
    lead = await Agent.get(id=answer.lead_agent_id).select_related("board")
    context: PageContext = {"lead": lead, "token": answer.lead_token, "base": base_url()}
    context |= {"board": board, "may_read": can(outcome.actor, "agent.read", lead)}
    return await shell_page(
        outcome.actor, "gateway_agents/onboarding/ready.html", active=f"board-{board.id}", **context
    )
