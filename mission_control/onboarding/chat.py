"""The conversation about a board as people see it: who said what, what the agent asks, and what is waited for."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import ValidationError

from mission_control.agents.models import Agent
from mission_control.agents.schemas import computed_status
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.gateways.models import Gateway
from mission_control.onboarding.conversation import PATIENCE
from mission_control.onboarding.models import OnboardingSession
from mission_control.onboarding.queries import BoardOnboardingAgentQuestion, awaits_agent, latest_session
from mission_control.work.deliveries import Delivery

SEVERAL = re.compile(r"all that apply|select all|choose all|more than one|as many as|multiple|several", re.IGNORECASE)
OWN_WORDS = re.compile(r"\btype (it|my own|your own|in)\b|\bother\b|something else", re.IGNORECASE)
CONTEXT = "Additional context"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said. `kind`: `request`, `answer`, `question`, `proposal`."""

    number: int
    kind: str
    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer; with `is_typed`, people write it themselves."""

    label: str
    is_typed: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent asks now. `number` is that of its line."""

    number: int
    text: str
    options: list[Option]
    takes_several: bool

    @property
    def typed_label(self) -> str | None:
        """The label of the option that stands for own words."""
        return next((one.label for one in self.options if one.is_typed), None)


@dataclass(frozen=True, slots=True)
class Chat:
    """A board's conversation at this moment.

    `state`: `none`, `asked`, `proposed`, `sending` (has not reached the agent), `waiting` (the agent has it), `silent`
    (for too long), `failed` (could not be sent), `confirmed`.
    """

    board: Board
    session: OnboardingSession | None
    state: str
    lines: list[Line]
    question: Question | None
    delivery: Delivery | None
    gateway: Gateway | None
    lead: Agent | None
    patience: int = int(PATIENCE.total_seconds() // 60)

    @property
    def is_open(self) -> bool:
        """Whether something can be said in it."""
        return self.session is not None and self.state != "confirmed"

    @property
    def lead_status(self) -> str:
        """The lead's status as people see it; one that has never called is provisioning."""
        return computed_status(self.lead) if self.lead else ""

    @property
    def is_connected(self) -> bool:
        """Whether the gateway can be spoken to now."""
        return self.gateway is not None and self.gateway.state == "connected"


async def chat_of(board: Board) -> Chat:
    """Return a board's conversation."""
    session = await latest_session(board.id)
    wanted = session.delivery_id if session else None
    delivery = await Delivery.get_or_none(id=wanted) if wanted else None
    gateway = await Gateway.get_or_none(id=board.gateway_id) if board.gateway_id else None
    lines = lines_of(session)
    state = _state(session, delivery)
    question = question_of(session) if state == "asked" else None
    lead = await Agent.get_or_none(board_id=board.id, is_board_lead=True)
    return Chat(board, session, state, lines, question, delivery, gateway, lead)


def _state(session: OnboardingSession | None, delivery: Delivery | None) -> str:
    if session is None:
        return "none"
    if session.status == "confirmed":
        return "confirmed"
    if not awaits_agent(session):
        return "proposed" if session.status == "completed" else "asked"
    if session.silent_at is not None:
        return "silent"
    if delivery is not None and delivery.state == "failed":
        return "failed"
    return "sending" if delivery is not None and delivery.state != "sent" else "waiting"


def lines_of(session: OnboardingSession | None) -> list[Line]:
    """Return what was said in a conversation, in order."""
    return [_line(number, said) for number, said in enumerate(session.messages or [] if session else [])]


def _line(number: int, said: dict[str, Any]) -> Line:
    content, at = str(said.get("content", "")), clock.parse_since(str(said.get("timestamp")))
    if said.get("role") == "user":
        return Line(number, "answer" if number else "request", content, at)
    parsed = _parsed(content)
    if parsed.get("status") == "complete":
        return Line(number, "proposal", str(parsed.get("objective") or ""), at)
    return Line(number, "question", str(parsed.get("question") or content), at)


def question_of(session: OnboardingSession | None) -> Question | None:
    """Return what the agent asks in a conversation, None when it spoke of something else last."""
    if session is None or not session.messages:
        return None
    number = len(session.messages) - 1
    try:
        asked = BoardOnboardingAgentQuestion.model_validate(_parsed(str(session.messages[-1].get("content", ""))))
    except ValidationError:
        return None
    options = [Option(one.label, one.id == "other" or bool(OWN_WORDS.search(one.label))) for one in asked.options]
    several = bool(SEVERAL.search(" ".join([asked.question, *(one.label for one in asked.options)])))
    return Question(number, asked.question, options, several and len(options) > 1)


def _parsed(content: str) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
