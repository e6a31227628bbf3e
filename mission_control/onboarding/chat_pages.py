"""The page of the conversation about a board, and how it is kept live."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from markupsafe import escape
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.queries import present
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.live.broker import head_of
from mission_control.live.models import Event
from mission_control.live.stream import Batch
from mission_control.onboarding.chat import Chat, chat_of
from mission_control.onboarding.conversation import learned_about
from mission_control.onboarding.forms import AUTONOMY, AnswerForm, kinds_of, values_of
from mission_control.onboarding.pages import settable_board, ways_of
from mission_control.onboarding.queries import BoardOnboardingStart, read_session
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done, go
from mission_control.web.fragments import partial, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page, rendered
from mission_control.web.shell import shell_page

pages = Blueprint("onboarding_chat_pages", __name__)
CHAT = "/boards/<uuid:board_id>/onboarding"
PAGE, TALK, REPLY, RESULT = "onboarding", "onboarding/chat.html", "onboarding/reply.html", "onboarding/result.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView(View):
    """A viewer's page of the conversation about a board."""

    board: Board

    async def chat(self) -> Chat:
        """Return the conversation at this moment."""
        return await self.reads.get(("onboarding", self.board.id), lambda: chat_of(self.board))

    @property
    def is_admin(self) -> bool:
        """Whether the viewer may open gateways."""
        return self.actor.administers(self.board.organization_id)


def _view(actor: Actor, board: Board, reads: Reads | None = None) -> ChatView:
    return ChatView(actor=actor, pages=(PAGE,), active=f"board-{board.id}", reads=reads or Reads(), board=board)


@pages.get(CHAT)
async def conversation(board_id: UUID) -> ResponseReturnValue:
    """Show the conversation about a board; a board without a gateway has the form alone."""
    actor, board = await settable_board(board_id)
    if board.gateway_id is None:
        return go(f"/boards/{board.id}/setup")
    seq = await head_of(board.organization_id)
    context: dict[str, object] = {
        "board": board,
        "ways": ways_of(board),
        "regions": await rendered(PAGE, _view(actor, board)),
        "live_url": f"/boards/{board.id}/onboarding/live?after={seq}",
    }
    return await shell_page(actor, "onboarding/conversation.html", active=f"board-{board.id}", **context)


@pages.get(f"{CHAT}/live")
async def live(board_id: UUID) -> Response:
    """Stream the conversation about a board."""
    actor, board = await settable_board(board_id)

    async def look(viewer: Actor, reads: Reads) -> ChatView | None:
        current = await present(board)
        if current is None or not can(viewer, "onboarding.confirm", current):
            return None
        return _view(viewer, current, reads)

    return await live_page(actor, look)


async def _conversation(view: ChatView) -> str:
    return render_macro(TALK, "conversation", chat=await view.chat(), may_open_gateway=view.is_admin)


async def _options(view: ChatView) -> str:
    return render_macro(REPLY, "options", chat=await view.chat())


async def _compose(view: ChatView) -> str:
    return render_macro(REPLY, "compose", chat=await view.chat())


async def _ending(view: ChatView) -> str:
    return render_macro(REPLY, "ending", chat=await view.chat())


async def _proposal(view: ChatView) -> str:
    chat = await view.chat()
    draft = read_session(chat.session).draft_goal if chat.session else None
    values = values_of(view.board, draft) if draft else {}
    return render_macro(
        RESULT, "proposal", chat=chat, values=values, kinds=kinds_of(view.board), autonomy=AUTONOMY,
        learned=await learned_about(view.actor, chat.session),
    )  # fmt: skip


async def _next_steps(view: ChatView) -> str:
    chat = await view.chat()
    may_read = chat.lead is not None and can(view.actor, "agent.read", chat.lead)
    return render_macro(RESULT, "next_steps", chat=chat, may_read_lead=may_read)


async def _silence(_view: ChatView) -> None:
    """Return nothing: a page that is opened announces nothing."""


async def _announcement(view: ChatView, _batch: Batch) -> str:
    """Return what the agent said last, for screen readers."""
    chat = await view.chat()
    if chat.question is not None:
        return partial("#announcements", str(escape(f"The agent asks: {chat.question.text}")), "innerHTML")
    if chat.state == "proposed":
        return partial("#announcements", "The agent proposes a goal and a lead.", "innerHTML")
    return ""


def _is_here(view: ChatView, news: Event | dict[str, Any]) -> bool:
    if isinstance(news, Event):
        return news.board_id == view.board.id or news.subject_id == view.board.gateway_id
    return str(view.board.gateway_id) == news.get("gateway_id") or str(view.board.id) == news.get("board_id")


def _same_for(view: ChatView) -> tuple[Any, ...]:
    return view.board.id, view.is_admin


ABOUT = ("onboarding.", "board.", "gateway.")
NEWS = Concerns(ABOUT, ("gateway_id",), _is_here)
LEAD = Concerns((*ABOUT, "agent."), ("agent_id",), _is_here)
SAID = Concerns(("onboarding.asked", "onboarding.drafted"), (), _is_here)
REGIONS = (
    Region(PAGE, "#conversation", NEWS, _conversation, key=_same_for),
    Region(PAGE, "#options", NEWS, _options, key=_same_for),
    Region(PAGE, "#compose", NEWS, _compose, key=_same_for),
    Region(PAGE, "#ending", NEWS, _ending, key=_same_for),
    Region(PAGE, "#proposal", LEAD, _proposal, key=lambda view: (view.board.id, view.actor.user_id)),
    Region(PAGE, "#next-steps", LEAD, _next_steps, key=_same_for),
    Region(PAGE, "#announcements", SAID, _silence, changes=_announcement),
)


@action(pages, "POST", f"{CHAT}/starts", performs="start_onboarding")
async def start(outcome: Outcome[Board, BoardOnboardingStart]) -> ResponseReturnValue:
    """Begin the conversation."""
    return go(f"/boards/{outcome.found.id}/onboarding")


@action(pages, "POST", f"{CHAT}/answers", performs="answer_onboarding", form=AnswerForm)
async def answer(outcome: Outcome[Board, AnswerForm]) -> ResponseReturnValue:
    """Answer the agent."""
    return done(f"/boards/{outcome.found.id}/onboarding")


@action(pages, "POST", f"{CHAT}/resends", performs="resend_onboarding")
async def resend(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    """Send the agent again what it has not answered."""
    return done(f"/boards/{outcome.found.id}/onboarding", toast="Sent again.")


@action(pages, "POST", f"{CHAT}/cancellations", performs="cancel_onboarding")
async def cancel(outcome: Outcome[Board, None]) -> ResponseReturnValue:
    """End the conversation without a result."""
    return go(f"/boards/{outcome.found.id}/onboarding")
