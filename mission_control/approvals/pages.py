"""The approvals queue as pages: of the whole organization and of one board."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.approvals import queue
from mission_control.approvals.forms import DecisionForm, ReopeningForm
from mission_control.approvals.headings import action_words
from mission_control.approvals.models import Approval
from mission_control.approvals.queries import visible_approval
from mission_control.approvals.related_rows import QueueView, Row, related_rows
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.ids import parse_id
from mission_control.core.times import iso
from mission_control.live.stream import Batch
from mission_control.shell import live_page
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import FormInvalid, done, is_htmx
from mission_control.web.fragments import partial, render_block, render_macro
from mission_control.web.shell import safe_next, shell_page, signed_in

pages = Blueprint("approvals_pages", __name__)
APPROVAL = "/boards/<uuid:board_id>/approvals/<uuid:approval_id>"
TEMPLATE = "approvals/index.html"
ONE = "approvals/show.html"
FORMS = "approvals/forms.html"
CONCERNS = ("approval.", "question.", "board.", "task.")
ASKED = {"approval.requested": "approval", "question.asked": "question"}
WORDS = {"approved": "approved", "rejected": "rejected", "changes_requested": "sent back"}


@pages.get("/approvals")
async def all_approvals() -> ResponseReturnValue:
    """What needs a decision on any board."""
    actor = await signed_in()
    return await _queue_page(actor, None)


@pages.get("/approvals/live")
async def all_live() -> Response:
    """Keep the queue of all boards live."""
    actor = await signed_in()
    return await _live(actor, None)


@pages.get("/boards/<uuid:board_id>/approvals")
async def board_approvals(board_id: UUID) -> ResponseReturnValue:
    """What needs a decision on one board."""
    actor = await signed_in()
    return await _queue_page(actor, await visible_board(actor, board_id))


@pages.get("/boards/<uuid:board_id>/approvals/live")
async def board_live(board_id: UUID) -> Response:
    """Keep the queue of one board live."""
    actor = await signed_in()
    return await _live(actor, await visible_board(actor, board_id))


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>")
async def one_approval(board_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """One approval of a board, whatever its state."""
    actor = await signed_in()
    approval = await visible_approval(actor, board_id, approval_id)
    item = await queue.item(actor, approval.board, approval.id)
    return await _one_page(actor, item)


async def _one_page(actor: Actor, item: queue.Item | None, sentence: str = "", next_url: str = "") -> str:
    return await shell_page(actor, ONE, active="approvals", item=item, sentence=sentence, next_url=next_url)


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>/live")
async def one_live(board_id: UUID, approval_id: UUID) -> Response:
    """Keep the page of one approval live."""
    actor = await signed_in()
    board = (await visible_approval(actor, board_id, approval_id)).board

    async def render(current: Actor, batch: Batch) -> str:
        if not any(one.board_id == board.id and one.kind.startswith(CONCERNS) for one in batch.events):
            return ""
        item = await queue.item(current, board, approval_id)
        context: dict[str, Any] = {"item": item, "sentence": "", "next_url": ""}
        html = partial("#approval-row", await render_block(ONE, "row", **context))
        return html + partial("#approval-asked", await render_block(ONE, "asked", **context))

    async def reaches(current: Actor) -> bool:
        return current.reads(board) and await Approval.filter(id=approval_id, board__deleted_at=None).exists()

    return await live_page(actor, "approvals", render, reaches)


@dataclass(frozen=True, slots=True)
class View:
    """What the address asks for: one board or all, a state and a page of the history."""

    board: Board | None
    board_id: UUID | None
    state: str
    page: int
    opened: datetime

    @property
    def base(self) -> str:
        """The queue without any filter."""
        return f"/boards/{self.board.id}/approvals" if self.board else "/approvals"

    @property
    def filters(self) -> dict[str, str]:
        """What of it stands in the query."""
        chosen = {"board": "" if self.board else str(self.board_id or ""), "state": self.state}
        return {name: value for name, value in chosen.items() if value}

    @property
    def live(self) -> str:
        """The query of the page's stream."""
        return urlencode({**self.filters, "page": self.page, "opened": iso(self.opened)})

    def at_page(self, page: int) -> str | None:
        """Another page of the history."""
        return f"{self.base}?{urlencode({**self.filters, 'page': page})}"


def _view(board: Board | None, opened: datetime) -> View:
    args = request.args
    state, page = args.get("state", ""), args.get("page", "")
    return View(
        board=board,
        board_id=board.id if board else parse_id(args.get("board")),
        state=state if state in queue.STATES else "",
        page=int(page) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1,
        opened=opened,
    )


async def _queue_page(actor: Actor, board: Board | None) -> str:
    view = _view(board, clock.now())
    active = f"board-{board.id}" if board else "approvals"
    return await shell_page(actor, TEMPLATE, active=active, **await _context(actor, view))


async def _context(actor: Actor, view: View) -> dict[str, Any]:
    boards = await queue.boards_in_queue(actor, view.board_id)
    view_of_queue = QueueView(boards, view.opened, view.base, show_board=view.board is None)
    both: list[queue.Item | Row] = [
        *await queue.queue(actor, boards, view.opened),
        *await related_rows(actor, view_of_queue),
    ]
    items = sorted(both, key=lambda one: one.created_at or view.opened)
    decided, total = await queue.history(actor, boards, view.state, view.page)
    waiting = [item for item in items if item.is_pending]
    return {
        "view": view,
        "items": items,
        "waiting": len(waiting),
        "oldest": waiting[0].created_at if waiting else None,
        "last_decided": await queue.last_decided_at(boards),
        "decided": decided,
        "total": total,
        "pages": -(-total // queue.PAGE),
        "boards": await queue.boards_in_queue(actor, None),
        "states": list(queue.STATES.items()),
    }


async def _live(actor: Actor, board: Board | None) -> Response:
    view = _view(board, clock.parse_since(request.args.get("opened")) or clock.now())
    shown = view.board_id

    async def render(current: Actor, batch: Batch) -> str:
        concerned = [one for one in batch.events if one.kind.startswith(CONCERNS)]
        if not any(shown in (None, one.board_id) for one in concerned):
            return ""
        context = await _context(current, view)
        html = partial("#queue", await render_block(TEMPLATE, "queue", **context))
        html += partial("#queue-summary", await render_block(TEMPLATE, "summary", **context), "innerHTML")
        if view.page == 1:
            html += partial("#history", await render_block(TEMPLATE, "history", **context))
        return html + _announcement(batch, shown)

    async def reaches(current: Actor) -> bool:
        return board is None or (current.reads(board) and await Board.filter(id=board.id, deleted_at=None).exists())

    return await live_page(actor, f"board-{board.id}" if board else "approvals", render, reaches)


def _announcement(batch: Batch, shown: UUID | None) -> str:
    asked = [ASKED[one.kind] for one in batch.events if one.kind in ASKED and shown in (None, one.board_id)]
    if not asked:
        return ""
    what = f"{asked[0]}s" if len(set(asked)) == 1 else "approvals and questions"
    sentence = f"A new {asked[0]} waits for you." if len(asked) == 1 else f"{len(asked)} new {what} wait for you."
    return partial("#announcements", sentence, "innerHTML")


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>/send-back")
async def send_back_form(board_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """Ask what should change: a dialog for htmx, else a page."""
    actor = await signed_in()
    approval = await visible_approval(actor, board_id, approval_id)
    return await _send_back(actor, approval, {}, {})


async def _send_back(actor: Actor, approval: Approval, values: dict[str, Any], errors: dict[str, str]) -> str:
    item = await queue.item(actor, approval.board, approval.id)
    next_url = safe_next(values.get("next") or request.args.get("next") or f"/boards/{approval.board_id}/approvals")
    context: dict[str, Any] = {"item": item, "values": values, "errors": errors, "next_url": next_url}
    if not is_htmx():
        return await shell_page(actor, "approvals/send_back.html", active="approvals", **context)
    if not errors:
        return render_macro(FORMS, "send_back_dialog", item=item, next_url=next_url)
    return render_macro(FORMS, "send_back_form", **context, in_dialog=True)


async def _not_decided(refusal: Refusal[Approval, DecisionForm]) -> ResponseReturnValue:
    """Answer the form of sending back when it is invalid; the approval as it is when somebody else was faster."""
    error, approval = refusal.error, refusal.found
    if isinstance(error, FormInvalid) and refusal.values.get("decision") == "changes_requested":
        errors = {name or "note": text for name, text in refusal.errors.items()}
        return await _send_back(refusal.actor, approval, refusal.values, errors)
    if isinstance(error, Conflict) and refusal.form is not None:
        return await _too_late(refusal.actor, approval, refusal.form, error)
    raise error


async def _too_late(actor: Actor, approval: Approval, form: DecisionForm, late: Conflict) -> str:
    if is_htmx() and form.origin == "":
        raise late
    item = await queue.item(actor, approval.board, approval.id)
    context: dict[str, Any] = {"item": item, "sentence": late.sentence, "next_url": safe_next(form.next)}
    if not is_htmx():
        return await _one_page(actor, **context)
    if form.origin == "dialog":
        return render_macro(FORMS, "too_late", sentence=late.sentence)
    return await render_block(ONE, "row", **context)


@action(pages, "POST", f"{APPROVAL}/decisions", performs="decide_approval", form=DecisionForm, refused=_not_decided)
async def decide(outcome: Outcome[Approval, DecisionForm]) -> ResponseReturnValue:
    """Approve, send back or reject; only the first decision counts."""
    approval, form = outcome.found, outcome.form
    title, effects = await _title_of(outcome.actor, approval), _effects_of(outcome.answer["outcomes"])
    undo = f"/boards/{approval.board_id}/approvals/{approval.id}/reopenings"
    toast = f"{title} {WORDS[form.decision]}.{effects}"
    return done(f"{safe_next(form.next)}#queue", toast=toast, undo_action=undo)


async def _title_of(actor: Actor, approval: Approval) -> str:
    item = await queue.item(actor, approval.board, approval.id)
    return item.title if item is not None else action_words(approval.action_type)


def _effects_of(outcomes: list[dict[str, Any]]) -> str:
    """Say what a decision did to tasks, as sentences that follow the decision."""
    said = {"finished": "It is done.", "sent_back": "Its agent takes it up again."}
    texts = [said.get(one["outcome"]) or f"It is not done yet. {one['reason']}" for one in outcomes]
    return "".join(f" {text}" for text in dict.fromkeys(texts))


@action(pages, "POST", f"{APPROVAL}/reopenings", performs="reopen_approval", form=ReopeningForm)
async def reopen(outcome: Outcome[Approval, ReopeningForm]) -> ResponseReturnValue:
    """Make a decided approval pending again."""
    approval = outcome.found
    next_url = safe_next(outcome.form.next or f"/boards/{approval.board_id}/approvals")
    return done(f"{next_url}#queue", toast=f"{await _title_of(outcome.actor, approval)} waits again.")
