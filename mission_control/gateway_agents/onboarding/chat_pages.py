"""The conversation about a board as people see it, kept live, and the goal of a board beside it."""

import contextlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson
from markupsafe import Markup
from pydantic import ValidationError
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.schemas import computed_status
from mission_control.boards.days import goal_day
from mission_control.boards.models import Board
from mission_control.boards.queries import present
from mission_control.boards.schemas import as_rows
from mission_control.boards.statuses import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.times import date_words
from mission_control.core.values import JsonObject
from mission_control.database.sql import rows
from mission_control.events.broker import News, head_of
from mission_control.events.leases import Delivery
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.gateway_agents.models import OnboardingSession
from mission_control.gateway_agents.onboarding.conversation import PATIENCE, learned_about
from mission_control.gateway_agents.onboarding.pages import (
    AUTONOMY,
    AnswerForm,
    kinds_of,
    settable_board,
    values_of,
    ways_of,
)
from mission_control.gateway_agents.onboarding.queries import (
    BoardOnboardingAgentQuestion,
    BoardOnboardingStart,
    awaits_agent,
    draft_of,
    latest_session,
)
from mission_control.gateways.models import Gateway
from mission_control.tasks.board.view import BoardView, of_board
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done, go
from mission_control.web.fragments import PageContext, read_ahead, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, announcements, live_page, rendered
from mission_control.web.shell import shell_page
from mission_control.web.side_panels import Aside, Opened

SEVERAL = re.compile(r"all that apply|select all|choose all|more than one|as many as|multiple|several", re.IGNORECASE)
OWN_WORDS = re.compile(r"\btype (it|my own|your own|in)\b|\bother\b|something else", re.IGNORECASE)


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
        return next((option.label for option in self.options if option.is_typed), None)


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
        return self.session is not None and self.state != "confirmed"

    @property
    def lead_status(self) -> str:
        return computed_status(self.lead) if self.lead else ""

    @property
    def is_connected(self) -> bool:
        return self.gateway is not None and self.gateway.state == "connected"

    @classmethod
    async def about(cls, board: Board) -> "Chat":
        session = await latest_session(board.id)
        sent = session.delivery_id if session else None
        delivery = await Delivery.get_or_none(id=sent) if sent else None
        gateway = await Gateway.get_or_none(id=board.gateway_id) if board.gateway_id else None
        lines = [_line(number, message) for number, message in enumerate((session and session.messages) or ())]
        state = _state(session, delivery)
        question = question_of(session) if state == "asked" else None
        lead = await Agent.get_or_none(board_id=board.id, is_board_lead=True)
        return cls(board, session, state, lines, question, delivery, gateway, lead)


def _state(session: OnboardingSession | None, delivery: Delivery | None) -> str:
    if session is None or session.status == "confirmed":
        return "confirmed" if session else "none"
    if not awaits_agent(session):
        return "proposed" if session.status == "completed" else "asked"
    if session.silent_at is not None:
        return "silent"
    sent = delivery.state if delivery is not None else "sent"
    return {"failed": "failed", "sent": "waiting"}.get(sent, "sending")


def _line(number: int, message: JsonObject) -> Line:
    content, at = str(message.get("content", "")), times.parse_since(str(message.get("timestamp")))
    if message.get("role") == "user":
        return Line(number, "answer" if number else "request", content, at)
    parsed = _parsed(content)
    if parsed.get("status") == "complete":
        return Line(number, "proposal", str(parsed.get("objective") or ""), at)
    return Line(number, "question", str(parsed.get("question") or content), at)


def question_of(session: OnboardingSession | None) -> Question | None:
    """None when the agent spoke of something else last."""
    if session is None or not session.messages:
        return None
    number = len(session.messages) - 1
    try:
        parsed = BoardOnboardingAgentQuestion.model_validate(_parsed(str(session.messages[-1].get("content", ""))))
    except ValidationError:
        return None
    options = [
        Option(option.label, option.id == "other" or bool(OWN_WORDS.search(option.label))) for option in parsed.options
    ]
    several = bool(SEVERAL.search(" ".join([parsed.question, *(option.label for option in parsed.options)])))
    return Question(number, parsed.question, options, several and len(options) > 1)


def _parsed(content: str) -> JsonObject:
    with contextlib.suppress(ValueError):
        if isinstance(parsed := orjson.loads(content), dict):
            return parsed
    return {}


TEMPLATE = "gateway_agents/onboarding/goal.html"


async def _progress(board: Board) -> PageContext:
    statuses = await rows(
        "SELECT CASE WHEN archived_at IS NOT NULL THEN 'done' ELSE status END AS status, COUNT(*) AS n FROM tasks"
        " WHERE board_id = ? AND deleted_at IS NULL GROUP BY 1",
        board.id,
    )
    counts = dict.fromkeys(STATUSES, 0) | {row["status"]: int(row["n"]) for row in statuses}
    total, done = sum(counts.values()), counts["done"]
    return {"counts": counts, "total": total, "done": done, "percent": 100 * done // total if total else 0}


def time_left(day: date | None) -> str:
    if day is None:
        return ""
    days = (day - times.today(times.reader())).days
    if days == 0:
        return "today"
    if days in (1, -1):
        return "tomorrow" if days == 1 else "one day late"
    return f"{days} days left" if days > 0 else f"{-days} days late"


async def _goal(view: BoardView) -> str:
    board = view.board
    await read_ahead(board.objective)
    day = goal_day(board.target_date)
    return render_macro(
        TEMPLATE, "goal", board=board, metrics=as_rows(board.success_metrics), day=day,
        in_words=day and date_words(day, times.today(times.reader())), left=time_left(day),
        progress=await _progress(board), may_change=can(view.actor, "onboarding.confirm", board),
    )  # fmt: skip


async def _open_goal(view: BoardView, seq: int) -> Opened:
    return Opened(render_macro(TEMPLATE, "aside", goal=Markup(await _goal(view))))


NEWS = ("board.updated", "onboarding.", "task.created", "task.status_changed", "task.deleted", "task.restored")
ASIDES = (Aside("board", "goal", "Goal", "target", "b g", _open_goal),)
REGIONS = (Region("board-goal", "#goal", of_board(*NEWS), _goal, key=lambda view: (view.board.id, view.rights)),)


pages = Blueprint("onboarding_chat_pages", __name__)
CHAT = "/boards/<uuid:board_id>/onboarding"
PAGE, TALK, REPLY, RESULT = (
    "onboarding",
    "gateway_agents/onboarding/chat.html",
    "gateway_agents/onboarding/reply.html",
    "gateway_agents/onboarding/result.html",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView(View):
    board: Board

    async def chat(self) -> Chat:
        return await self.reads.get(("onboarding", self.board.id), lambda: Chat.about(self.board))

    @property
    def may_open_gateway(self) -> bool:
        return self.actor.administers(self.board.organization_id)


def _view(actor: Actor, board: Board, reads: Reads | None = None) -> ChatView:
    return ChatView(actor=actor, pages=(PAGE,), active=f"board-{board.id}", reads=reads or Reads(), board=board)


@pages.get(CHAT)
async def conversation(board_id: UUID) -> ResponseReturnValue:
    actor, board = await settable_board(board_id)
    if board.gateway_id is None:
        return go(f"/boards/{board.id}/setup")
    seq = await head_of(board.organization_id)
    regions = await rendered(PAGE, _view(actor, board))
    context = {"board": board, "ways": ways_of(board), "regions": regions}
    context["live_url"] = f"/boards/{board.id}/onboarding/live?after={seq}"
    return await shell_page(actor, "gateway_agents/onboarding/conversation.html", active=f"board-{board.id}", **context)


@pages.get(f"{CHAT}/live")
async def live(board_id: UUID) -> Response:
    actor, board = await settable_board(board_id)

    async def look(viewer: Actor, reads: Reads) -> ChatView | None:
        current = await present(board)
        if current is None or not can(viewer, "onboarding.confirm", current):
            return None
        return _view(viewer, current, reads)

    return await live_page(actor, look)


async def _conversation(view: ChatView) -> str:
    return render_macro(TALK, "conversation", chat=await view.chat(), may_open_gateway=view.may_open_gateway)


def _reply(macro: str) -> Region[ChatView]:

    async def html(view: ChatView) -> str:
        return render_macro(REPLY, macro, chat=await view.chat())

    return Region(PAGE, f"#{macro}", CHAT_NEWS, html, key=_same_for)


async def _proposal(view: ChatView) -> str:
    chat = await view.chat()
    draft = draft_of(chat.session)
    values = values_of(view.board, draft) if draft else {}
    return render_macro(
        RESULT, "proposal", chat=chat, values=values, kinds=kinds_of(view.board), autonomy=AUTONOMY,
        learned=await learned_about(view.actor, chat.session),
    )  # fmt: skip


async def _next_steps(view: ChatView) -> str:
    chat = await view.chat()
    may_read = chat.lead is not None and can(view.actor, "agent.read", chat.lead)
    return render_macro(RESULT, "next_steps", chat=chat, may_read_lead=may_read)


async def _announcement(view: ChatView, _batch: Batch) -> str:
    chat = await view.chat()
    if chat.question is not None:
        return f"The agent asks: {chat.question.text}"
    return "The agent proposes a goal and a lead." if chat.state == "proposed" else ""


def _is_here(view: ChatView, news: News) -> bool:
    if isinstance(news, Event):
        return news.board_id == view.board.id or news.subject_id == view.board.gateway_id
    return str(view.board.gateway_id) == news.get("gateway_id") or str(view.board.id) == news.get("board_id")


def _same_for(view: ChatView) -> tuple[object, ...]:
    return view.board.id, view.may_open_gateway


ABOUT = ("onboarding.", "board.", "gateway.")
CHAT_NEWS = Concerns(ABOUT, ("gateway_id",), _is_here)
LEAD = Concerns((*ABOUT, "agent."), ("agent_id",), _is_here)
SAID = Concerns(("onboarding.asked", "onboarding.drafted"), (), _is_here)
CHAT_REGIONS = (
    Region(PAGE, "#conversation", CHAT_NEWS, _conversation, key=_same_for),
    *(_reply(macro) for macro in ("options", "compose", "ending")),
    Region(PAGE, "#proposal", LEAD, _proposal, key=lambda view: (view.board.id, view.actor.user_id)),
    Region(PAGE, "#next-steps", LEAD, _next_steps, key=_same_for),
    announcements(PAGE, SAID, _announcement),
)


@action(pages, f"{CHAT}/starts")
async def start_onboarding(outcome: Outcome[Board, BoardOnboardingStart]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/onboarding")


@action(pages, f"{CHAT}/answers", form=AnswerForm)
async def answer_onboarding(outcome: Outcome[Board, AnswerForm]) -> ResponseReturnValue:
    return done(f"/boards/{outcome.found.id}/onboarding")


@action(pages, f"{CHAT}/resends")
async def resend_onboarding(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    return done(f"/boards/{outcome.found.id}/onboarding", toast="Sent again.")


@action(pages, f"{CHAT}/cancellations")
async def cancel_onboarding(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/onboarding")
