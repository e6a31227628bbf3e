"""Setting up a board: what its main agent says, what a person confirms, and both over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from mission_control.agents.commands import create_lead, free_name, update_agent
from mission_control.agents.lead_api import only_main_agents
from mission_control.agents.models import Agent
from mission_control.agents.queries import lead_id_of
from mission_control.agents.schemas import AgentUpdate
from mission_control.agents.token_pages import base_url
from mission_control.boards.commands import locked_board, update_board
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.boards.schemas import BoardRead, BoardUpdate
from mission_control.core import times
from mission_control.core.actor import Actor, can, system
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import json_values, to_json
from mission_control.events.commands import command
from mission_control.events.event_log import Kind
from mission_control.events.unit_of_work import record
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateway_agents.onboarding.conversation import (
    answer_agent,
    cancel_conversation,
    send_again,
    start_conversation,
    withdraw,
)
from mission_control.gateway_agents.onboarding.queries import (
    BoardConfirmed,
    BoardOnboardingAgentComplete,
    BoardOnboardingAgentQuestion,
    BoardOnboardingAnswer,
    BoardOnboardingConfirm,
    BoardOnboardingRead,
    BoardOnboardingStart,
    existing_session,
    latest_session,
    read_session,
)
from mission_control.gateway_agents.onboarding.queries import BoardOnboardingLeadAgentDraft as LeadDraft
from mission_control.gateway_agents.provisioning.jobs import request_provisioning
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import ALL_ROLES
from mission_control.people.accounts.commands import update_profile
from mission_control.people.accounts.queries import UserUpdate
from mission_control.people.models import User

EVENTS = (
    Kind("onboarding.asked", "A gateway's main agent asked something about a new board.", "asked something about"),
    Kind("onboarding.drafted", "A gateway's main agent proposed a goal and a lead for a board.", "proposed a goal for"),
    Kind("onboarding.confirmed", "A person confirmed a board's goal; the board has a lead.", "set up"),
)

STYLE = ("autonomy_level", "verbosity", "output_format", "update_cadence", "custom_instructions")
AUTONOMY = ("autonomy_level", "autonomy", "mode")
ALONE = {"autonomous", "fully-autonomous", "full-autonomy"}
GOAL_FIELDS = ("board_type", "objective", "success_metrics", "target_date")


# What a person may want of a lead, and how a proposal calls it.
WANTED = {"lead_name": "name", "autonomy": "autonomy_level", "instructions": "custom_instructions"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes for a board's lead, and whether finishing a task needs an approval."""

    lead: LeadDraft
    needs_approval: bool

    @classmethod
    def proposed(cls, session: OnboardingSession | None) -> "Plan":
        """A lead that no longer fits counts as absent."""
        draft = (session and session.draft_goal) or {}
        try:
            lead = LeadDraft.model_validate(draft.get("lead_agent") or {})
        except ValidationError:
            lead = LeadDraft()
        return cls(lead, not _works_alone(lead))

    def with_wishes(self, board: Board, goal: BoardOnboardingConfirm, *, has_lead: bool) -> "Plan":
        """Put what the person wants before what the agent proposed; a lead that is there takes only a name."""
        wishes = {theirs: getattr(goal, ours) for ours, theirs in WANTED.items() if ours in goal.model_fields_set}
        if not wishes:
            return self
        if has_lead:
            return Plan(LeadDraft(name=goal.lead_name), board.require_approval_for_done)
        needs_approval = self.needs_approval if goal.autonomy is None else goal.autonomy != "autonomous"
        return Plan(LeadDraft.model_validate(self.lead.model_dump() | wishes), needs_approval)


def _works_alone(lead: LeadDraft) -> bool:
    """Whether it may finish work without asking, by its level of autonomy or by its identity profile."""
    profile = lead.identity_profile or {}
    levels = [lead.autonomy_level or "", *(profile.get(name, "") for name in AUTONOMY)]
    levels = [level.strip().lower().replace("_", "-") for level in levels]
    return any(level in ALONE or ("autonom" in level and "fully" in level) for level in levels)


@command("onboarding.report")
async def store_main_agent_message(
    actor: Actor, board: Board, said: BoardOnboardingAgentComplete | BoardOnboardingAgentQuestion
) -> OnboardingSession:
    """Store a question or a proposal of a gateway's main agent.

    No conversation: NotFound; ended: Conflict.
    """
    board = await locked_board(board)
    session = await existing_session(board.id, held=True)
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
    await session.save()
    return session


@command("onboarding.confirm")
async def confirm_goal(actor: Actor, board: Board, goal: BoardOnboardingConfirm) -> BoardConfirmed:
    """Set a board's goal, and create a lead if it has none: as the person wants it, the rest as the agent proposed.

    A lead that is there gets the wanted name. Of the person's profile only what they confirm changes. Repeating a
    confirmation is a no-op.
    """
    board = await locked_board(board)
    session = await latest_session(board.id, held=True)
    has_lead = await lead_id_of(board.id) is not None
    plan = Plan.proposed(session).with_wishes(board, goal, has_lead=has_lead)
    before = board.updated_at
    values = {name: getattr(goal, name) for name in GOAL_FIELDS}
    values |= {"goal_confirmed": True, "goal_source": "lead_agent_onboarding"}
    values["require_approval_for_done"] = plan.needs_approval
    board = await update_board(actor, board, BoardUpdate.model_construct(**values))
    ends = session is not None and session.status != "confirmed"
    if session is not None and ends:
        await withdraw(session)
        session.status, session.updated_at = "confirmed", times.clock_now()
        await session.save()
    await _confirm_profile(actor, goal)
    lead_id, token = await _lead(board, plan.lead)
    if ends or token or board.updated_at != before:
        session_id = session.id if session else None
        message = f"Board set up: {board.name}."
        record("onboarding.confirmed", board, message, session_id=session_id, lead_agent_id=lead_id)
    fields = {name: getattr(board, name) for name in BoardRead.model_fields}
    return BoardConfirmed.model_construct(**fields, lead_agent_id=lead_id, lead_token=token)


async def _confirm_profile(actor: Actor, goal: BoardOnboardingConfirm) -> None:
    profile = goal.user_profile.model_dump(exclude_none=True) if goal.user_profile is not None else {}
    if profile and (user := await User.get_or_none(id=actor.user_id)) is not None:
        new = {name: text for name, text in profile.items() if getattr(user, name) != text}
        await update_profile(actor, user, UserUpdate(**new))


async def _lead(board: Board, lead: LeadDraft) -> tuple[UUID | None, str | None]:
    """Make the board's lead, with a token for a new direct one; the confirming person need not be an admin.

    A lead that is there gets the wanted name. On a board with a gateway a new lead is created there, and one that could
    not be created is tried again.
    """
    known = await Agent.get_or_none(board_id=board.id, is_board_lead=True).select_related("board")
    if known is None:
        style = {name: value for name in STYLE if (value := getattr(lead, name))}
        agent, token = await create_lead(board, lead.name, {**(lead.identity_profile or {}), **style})
        return agent.id, token
    if lead.name:
        name = await free_name(board, lead.name, of=known)
        known = await update_agent(system(board.organization_id), known, AgentUpdate(name=name))
    if known.gateway_id is not None and known.last_provision_error is not None:
        await request_provisioning(known)
    return known.id, None


api = Api(__name__, "board-onboarding")
ONBOARDING = "/boards/<board_id>/onboarding"


@api.get(ONBOARDING, rule="board.read")
async def get_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Read the latest conversation about a board's goal; 404 when there was none."""
    return read_session(await existing_session(board.id))


@api.post(f"{ONBOARDING}/start", rule="onboarding.hold")
async def start_onboarding(actor: Actor, board: Board, data: BoardOnboardingStart) -> BoardOnboardingRead:
    """Start a conversation with the main agent of the board's gateway; 422 for a board without one.

    An active conversation is returned, and what the agent has not answered in it is sent again.
    """
    return read_session(await start_conversation(actor, board, base_url()))


@api.post(f"{ONBOARDING}/answer", rule="onboarding.hold")
async def answer_onboarding(actor: Actor, board: Board, data: BoardOnboardingAnswer) -> BoardOnboardingRead:
    """Answer the agent's question, or add to its proposal; 422 for a board without a gateway."""
    text = f"{data.answer}: {data.other_text}" if data.other_text else data.answer
    return read_session(await answer_agent(actor, board, text, data.seen))


@api.post(f"{ONBOARDING}/resends", rule="onboarding.hold")
async def resend_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """Send the agent again what it has not answered; 409 when it has answered."""
    return read_session(await send_again(actor, board))


@api.post(f"{ONBOARDING}/cancellations", rule="onboarding.hold")
async def cancel_onboarding(actor: Actor, board: Board) -> BoardOnboardingRead:
    """End the conversation without a result. The board stays as it is, and another one can be started."""
    return read_session(await cancel_conversation(actor, board))


@api.post(f"{ONBOARDING}/confirm", rule="onboarding.confirm")
async def confirm_onboarding(actor: Actor, board: Board, data: BoardOnboardingConfirm) -> BoardConfirmed:
    """Confirm what a board is for.

    A board without a lead gets one, as you want it (`lead_name`, `autonomy`, `instructions`) or else as was proposed;
    `lead_token` is shown only now. A lead that is there gets the name. With a lead that may decide everything alone,
    tasks need no approval before they are done. Of your own profile only what you send in `user_profile` changes.
    """
    return await confirm_goal(actor, board, data)


async def reported_board(actor: Actor, board_id: UUID) -> Board:
    """Return the board of a gateway's main agent; an agent that works on the board is refused with a reason."""
    board = await visible_board(actor, board_id)
    if not can(actor, "onboarding.report", board):
        raise only_main_agents()
    return board


@api.post(
    f"/agent{ONBOARDING}",
    find=reported_board,
    hints=hints(
        "agent_board_onboarding_update",
        roles=ALL_ROLES,
        use="As a gateway's main agent in a conversation about a new board, to ask or to propose.",
        avoid="Not as an agent of a board; read its goal there.",
        needs="You are the main agent of the board's gateway and the conversation was started.",
        effects="People see the question or the proposal; a proposal waits until one of them confirms it.",
        never="Do not ask several questions at once, and do not answer in a chat instead.",
        route="Main agents of gateways only; everybody else is refused.",
        example="propose a goal for a new board",
    ),
)
@api.post(f"{ONBOARDING}/agent", who="agent", find=reported_board)
async def update_onboarding(
    actor: Actor, board: Board, data: BoardOnboardingAgentComplete | BoardOnboardingAgentQuestion
) -> BoardOnboardingRead:
    """Ask the next question of the conversation about a board, or propose its goal and lead.

    Only the main agent of the board's gateway does this.
    """
    return read_session(await store_main_agent_message(actor, board, data))
