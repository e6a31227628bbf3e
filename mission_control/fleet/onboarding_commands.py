"""Commands that set up a board: an agent's proposal and a person's confirmation."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from mission_control.agents.commands import create_lead, free_name, update_agent
from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.boards.commands import locked_board, update_board
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, system
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import json_values, to_json
from mission_control.fleet.conversation import no_conversation, withdraw
from mission_control.fleet.jobs import request_provisioning
from mission_control.fleet.models import OnboardingSession
from mission_control.fleet.onboarding_queries import (
    BoardOnboardingAgentComplete,
    BoardOnboardingAgentQuestion,
    BoardOnboardingConfirm,
    BoardOnboardingLeadAgentDraft,
    BoardOnboardingUserProfile,
    BoardSetup,
    latest_session,
)
from mission_control.fleet.onboarding_queries import BoardOnboardingLeadAgentDraft as LeadDraft
from mission_control.log.commands import command
from mission_control.log.unit_of_work import record
from mission_control.people.account_commands import update_profile
from mission_control.people.account_queries import UserUpdate
from mission_control.people.models import User

STYLE = ("autonomy_level", "verbosity", "output_format", "update_cadence", "custom_instructions")
AUTONOMY = ("autonomy_level", "autonomy", "mode")
ALONE = {"autonomous", "fully-autonomous", "full-autonomy"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes for a board's lead, and whether finishing a task needs an approval."""

    lead: LeadDraft
    needs_approval: bool

    @classmethod
    def of(cls, draft: dict[str, object] | None) -> "Plan":
        """What an agent proposed; a lead that no longer fits counts as absent."""
        try:
            lead = LeadDraft.model_validate((draft or {}).get("lead_agent") or {})
        except ValidationError:
            lead = LeadDraft()
        return cls(lead, not works_alone(lead))

    def with_lead(self, name: str | None, autonomy: str, instructions: str | None) -> "Plan":
        """Return the plan with what a person wants of the lead instead of what was proposed."""
        wanted = {
            "name": name,
            "autonomy_level": autonomy,
            "custom_instructions": (instructions or "").strip() or None,
        }
        return Plan(self.lead.model_copy(update=wanted), needs_approval=autonomy != "autonomous")


def works_alone(lead: LeadDraft) -> bool:
    """Whether a lead may finish work without asking, by its level of autonomy or its identity profile."""
    profile = lead.identity_profile or {}
    said = [lead.autonomy_level or "", *(profile.get(name, "") for name in AUTONOMY)]
    return any(_is_full(one.strip().lower().replace("_", "-")) for one in said)


def _is_full(level: str) -> bool:
    return level in ALONE or ("autonom" in level and "fully" in level)


def identity_of(lead: LeadDraft) -> dict[str, str] | None:
    """The identity profile of a lead with its working style in it."""
    style = {name: value for name in STYLE if (value := getattr(lead, name))}
    return {**(lead.identity_profile or {}), **style} or None


GOAL_SOURCE = "lead_agent_onboarding"
GOAL_FIELDS = ("board_type", "objective", "success_metrics", "target_date")
WAIT = ("delivery_id", "silent_at")


@dataclass(frozen=True, slots=True)
class Confirmed:
    board: Board
    lead_id: UUID | None
    token: str | None


@command("onboarding.report")
async def store_main_agent_message(
    actor: Actor, board: Board, said: BoardOnboardingAgentComplete | BoardOnboardingAgentQuestion
) -> OnboardingSession:
    """Store a question or a proposal of a gateway's main agent.

    No conversation: NotFound; ended: Conflict.
    """
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    if session is None:
        raise no_conversation()
    if session.status == "confirmed":
        raise Conflict(ErrorCode.ONBOARDING_CONFIRMED.detail())
    text = json_values(said.model_dump(exclude_none=True))
    now = times.clock_now()
    message = {"role": "assistant", "content": to_json(text).decode(), "timestamp": times.wire(now)}
    session.messages = [*(session.messages or []), message]
    session.updated_at = now
    session.delivery_id = session.silent_at = None
    if isinstance(said, BoardOnboardingAgentComplete):
        session.draft_goal, session.status = text, "completed"
        record("onboarding.drafted", board, f"Goal proposed for {board.name}.", session_id=session.id)
    else:
        record("onboarding.asked", board, f"Question about {board.name}: {said.question}", session_id=session.id)
    await session.save(update_fields=["messages", "draft_goal", "status", "updated_at", *WAIT])
    return session


@command("onboarding.confirm")
async def confirm_goal(actor: Actor, board: Board, goal: BoardOnboardingConfirm, plan: Plan | None = None) -> Confirmed:
    """Set a board's goal, and create a lead if it has none. Without a plan, the agent's proposal is used.

    Of the person's profile only what they confirm changes.

    Repeating a confirmation is a no-op.
    """
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    plan = plan or Plan.of(session.draft_goal if session else None)
    before = board.updated_at
    board = await update_board(actor, board, _goal(goal, plan))
    ended = await _end(session)
    await _update_person(actor, goal.user_profile)
    lead_id, token = await _lead(board, plan)
    if ended or token or board.updated_at != before:
        record(
            "onboarding.confirmed",
            board,
            f"Board set up: {board.name}.",
            session_id=session.id if session else None,
            lead_agent_id=lead_id,
        )
    return Confirmed(board, lead_id, token)


@command("onboarding.confirm")
async def set_up_board(actor: Actor, board: Board, wanted: BoardSetup) -> Confirmed:
    """Give a board its goal, and the wanted lead when it has none; of a lead's proposal the rest is kept.

    A lead that is there already gets the wanted name, and the board's rule of approvals stays as it is.
    """
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    proposed = Plan.of(session.draft_goal if session else None)
    if await lead_id_of(board.id) is not None:
        named = BoardOnboardingLeadAgentDraft(name=wanted.lead_name)
        plan = Plan(named, needs_approval=board.require_approval_for_done)
    else:
        plan = proposed.with_lead(wanted.lead_name, wanted.autonomy, wanted.instructions)
    return await confirm_goal(actor, board, wanted, plan)


def _goal(goal: BoardOnboardingConfirm, plan: Plan) -> dict[str, object]:
    return {
        **{name: getattr(goal, name) for name in GOAL_FIELDS},
        "goal_confirmed": True,
        "goal_source": GOAL_SOURCE,
        "require_approval_for_done": plan.needs_approval,
    }


async def _end(session: OnboardingSession | None) -> bool:
    """Confirm a conversation. Return False if there is none or it was confirmed before."""
    if session is None or session.status == "confirmed":
        return False
    await withdraw(session)
    session.status, session.updated_at = "confirmed", times.clock_now()
    await session.save(update_fields=["status", "updated_at", *WAIT])
    return True


async def _update_person(actor: Actor, profile: BoardOnboardingUserProfile | None) -> None:
    """Change what a person confirmed of their own profile; nothing is cleared."""
    found = profile.model_dump(exclude_none=True) if profile is not None else {}
    user = await User.get_or_none(id=actor.user_id) if found and actor.user_id else None
    if user is not None:
        new = {name: text for name, text in found.items() if getattr(user, name) != text}
        await update_profile(actor, user, UserUpdate(**new))


async def _lead(board: Board, plan: Plan) -> tuple[UUID | None, str | None]:
    """Return the board's lead, with the token of a new direct one. The confirming person need not be an admin.

    A lead that is there gets the wanted name. On a board with a gateway a new lead is created there, and one that could
    not be created is tried again.
    """
    known = await Agent.get_or_none(board_id=board.id, is_board_lead=True).select_related("board")
    if known is None:
        agent, token = await create_lead(board, plan.lead.name, identity_of(plan.lead))
        return agent.id, token
    if plan.lead.name:
        name = await free_name(board, plan.lead.name, of=known)
        known = await update_agent(system(board.organization_id), known, {"name": name})
    if known.gateway_id is not None and known.last_provision_error is not None:
        await request_provisioning(known)
    return known.id, None
