"""The pages of approvals: the queue of all boards or of one and how it stays current, one approval, asking for one."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import Field, model_validator
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.approvals import views as reading
from mission_control.approvals.models import Approval
from mission_control.approvals.needs import asked_item
from mission_control.approvals.payloads import action_words
from mission_control.approvals.queries import visible_approval
from mission_control.approvals.schemas import Decision, RejectedTask
from mission_control.approvals.views import item_of
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_of, still_exists, visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict, Invalid, existing
from mission_control.core.times import iso
from mission_control.core.values import parse_id
from mission_control.database.sql import rows
from mission_control.events.broker import News
from mission_control.events.models import Event
from mission_control.events.stream import Batch
from mission_control.needs.deadlines import HOURS
from mission_control.needs.kinds import KINDS as ASKS
from mission_control.needs.kinds import MOST_QUEUED, QueueView
from mission_control.needs.pages import OTHERWISE, AnswerPage, DeadlineForm, deadline_actions
from mission_control.needs.wording import others_missing
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, done, is_htmx
from mission_control.web.fragments import PageContext, render_block, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, announcements, live_page
from mission_control.web.shell import PaletteEntry, safe_next, shell_page, signed_in

QUEUE, TEMPLATE = "approvals", "approvals/index.html"
KINDS = ("approval.", "question.", "gateway.request.", "board.", "task.")
ASKED = {"approval.requested": "approval", "question.asked": "question"}


@dataclass(frozen=True, slots=True)
class QueueAddress:
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
        chosen = {"board": "" if self.board else str(self.board_id or ""), "state": self.state}
        return {name: value for name, value in chosen.items() if value}

    @property
    def live(self) -> str:
        return urlencode({**self.filters, "page": self.page, "opened": iso(self.opened)})

    def at_page(self, page: int) -> str | None:
        return f"{self.base}?{urlencode({**self.filters, 'page': page})}"


def address_of(board: Board | None, opened: datetime) -> QueueAddress:
    args = request.args
    state, page = args.get("state", ""), args.get("page", "")
    return QueueAddress(
        board=board,
        board_id=board.id if board else parse_id(args.get("board")),
        state=state if state in reading.STATES else "",
        page=int(page) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1,
        opened=opened,
    )


async def queue_context(actor: Actor, view: QueueAddress) -> PageContext:
    all_boards = await boards_of(actor)
    boards = [board for board in all_boards if view.board_id in (None, board.id)]
    view_of_queue = QueueView(boards, view.board is None, view.board_id is not None, opened=view.opened, url=view.base)
    parts = [await kind.queue_rows(actor, view_of_queue) for kind in ASKS.values()]
    items = sorted((row for part in parts for row in part), key=lambda one: one.created_at)
    decided, total = await reading.history(actor, boards, view.state, view.page)
    waiting = [item for item in items if item.is_pending]
    return {
        "view": view,
        "items": items,
        "waiting": len(waiting),
        "is_cut": any(sum(row.is_pending for row in part) >= MOST_QUEUED for part in parts),
        "may_select": any(actor.writes(board) for board in boards),
        "oldest": waiting[0].created_at if waiting else None,
        "last_decided": await reading.last_decided_at(boards),
        "decided": decided,
        "total": total,
        "pages": -(-total // reading.PAGE),
        "boards": all_boards,
        "states": list(reading.STATES.items()),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePageView(View):
    address: QueueAddress

    async def block(self, name: str) -> str:
        address = self.address
        key = ("queue", self.actor.id, address.board_id, address.state, address.page, address.opened)
        context = await self.reads.get(key, lambda: queue_context(self.actor, address))
        return await render_block(TEMPLATE, name, **context)


async def queue_stream(actor: Actor, board: Board | None) -> Response:
    address = address_of(board, times.parse_since(request.args.get("opened")) or times.clock_now())
    active = f"board-{board.id}" if board else "approvals"

    async def look(viewer: Actor, reads: Reads) -> QueuePageView | None:
        if board is not None and not (viewer.reads(board) and await still_exists(board)):
            return None
        return QueuePageView(actor=viewer, pages=(QUEUE,), active=active, reads=reads, address=address)

    return await live_page(actor, look)


async def _history(view: QueuePageView) -> str | None:
    return await view.block("history") if view.address.page == 1 else None


async def _announcement(_view: QueuePageView, batch: Batch) -> str:
    asked = [ASKED[one.kind] for one in batch.events]
    what = f"{asked[0]}s" if len(set(asked)) == 1 else "approvals and questions"
    return f"A new {asked[0]} waits for you." if len(asked) == 1 else f"{len(asked)} new {what} wait for you."


def _is_in_queue(view: QueuePageView, news: News) -> bool:
    return isinstance(news, Event) and view.address.board_id in (None, news.board_id)


IN_QUEUE = Concerns[QueuePageView](KINDS, (), _is_in_queue)
QUEUE_REGIONS = (
    Region(QUEUE, "#queue", IN_QUEUE, lambda view: view.block("queue")),
    Region(QUEUE, "#queue-summary", IN_QUEUE, lambda view: view.block("summary"), swap="innerHTML"),
    Region(QUEUE, "#history", IN_QUEUE, _history),
    announcements(QUEUE, Concerns(tuple(ASKED), (), _is_in_queue), _announcement),
)


class DecisionForm(Form):
    decision: Decision
    note: str | None = Field(None, max_length=4000)
    always: bool = False
    stop: bool = False
    then: RejectedTask = "inbox"
    origin: Literal["row", "dialog", ""] = Field("", alias="from")
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="before")
    @classmethod
    def _rejection(cls, sent: object) -> object:
        """A button that says where the task of rejected work goes rejects it; so does one that ends the turn."""
        return {"decision": "rejected", **sent} if isinstance(sent, dict) and {"then", "stop"} & sent.keys() else sent

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "DecisionForm":
        if self.decision == "changes_requested" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: Approval) -> Fields:
        always = self.always and self.decision == "approved"
        stop = self.stop and self.decision == "rejected"
        given = self.model_dump(include={"decision", "note", "then", "substance"})
        return given | {"always": always, "stop": stop}


class ReopeningForm(Form):
    next: str = ""


pages = Blueprint("approvals_pages", __name__)
APPROVAL = "/boards/<uuid:board_id>/approvals/<uuid:approval_id>"
FORMS = "approvals/forms.html"
PAGE = AnswerPage[Approval](
    pages=pages,
    path=APPROVAL,
    kind="approval",
    template="approvals/show.html",
    find=visible_approval,
    item=asked_item,
    news=KINDS,
    otherwise=lambda _item: {"remind": OTHERWISE["remind"], "send_back": "send it back", "ask": OTHERWISE["ask"]},
)
REGIONS = PAGE.regions
WORDS = {"approved": "approved", "rejected": "rejected", "changes_requested": "sent back"}


@pages.get("/approvals")
@pages.get("/boards/<uuid:board_id>/approvals")
async def queue(board_id: UUID | None = None) -> ResponseReturnValue:
    actor = await signed_in()
    board = await visible_board(actor, board_id) if board_id else None
    view = address_of(board, times.clock_now())
    active = f"board-{board.id}" if board else "approvals"
    return await shell_page(actor, TEMPLATE, active=active, **await queue_context(actor, view))


@pages.get("/approvals/live")
@pages.get("/boards/<uuid:board_id>/approvals/live")
async def queue_live(board_id: UUID | None = None) -> Response:
    actor = await signed_in()
    return await queue_stream(actor, await visible_board(actor, board_id) if board_id else None)


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>/send-back")
async def send_back_form(board_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """Ask what should change: a dialog for htmx, else a page."""
    actor = await signed_in()
    approval = await visible_approval(actor, board_id, approval_id)
    return await _send_back(actor, approval, {}, {})


async def _send_back(actor: Actor, approval: Approval, values: FormValues, errors: dict[str, str]) -> str:
    item = await item_of(actor, approval.board, approval.id)
    next_url = safe_next(values.get("next") or request.args.get("next") or f"/boards/{approval.board_id}/approvals")
    seen = values.get("substance") or request.args.get("substance") or (item and item.substance) or ""
    context = {"item": item, "values": values, "errors": errors, "next_url": next_url, "seen": seen}
    if not is_htmx():
        return await shell_page(actor, "approvals/send_back.html", active="approvals", **context)
    if not errors:
        return render_macro(FORMS, "send_back_dialog", item=item, next_url=next_url, seen=seen)
    return render_macro(FORMS, "send_back_form", **context, in_dialog=True)


async def _not_decided(refusal: Refusal[Approval, DecisionForm]) -> ResponseReturnValue:
    """Answer the form of sending back when it is invalid; the approval as it is when somebody else was faster."""
    error, approval, form = refusal.error, refusal.found, refusal.form
    if isinstance(error, FormInvalid) and refusal.values.get("decision") == "changes_requested":
        errors = {name or "note": text for name, text in refusal.errors.items()}
        return await _send_back(refusal.actor, approval, refusal.values, errors)
    if not isinstance(error, Conflict) or form is None or (is_htmx() and form.origin == ""):
        raise error
    if is_htmx() and form.origin == "dialog":
        return render_macro(FORMS, "too_late", sentence=error.sentence)
    return await PAGE.again(refusal.actor, approval, sentence=error.sentence, values={"next": form.next})


# What a decision did to a task, as a sentence that follows the decision.
EFFECTS = {
    "finished": " It is done.",
    "sent_back": " Its agent takes it up again.",
    "returned": " It is back in the inbox.",
    "taken_over": " It is yours now.",
    "deleted": " It is in the trash.",
    "closed": "",
}


@action(pages, f"{APPROVAL}/decisions", form=DecisionForm, refused=_not_decided)
async def decide_approval(outcome: Outcome[Approval, DecisionForm]) -> ResponseReturnValue:
    """Approve, send back or reject; only the first decision counts."""
    approval, form = outcome.found, outcome.form
    texts = [EFFECTS.get(one["outcome"], f" It is not done yet. {one['reason']}") for one in outcome.answer["outcomes"]]
    effects = "".join(dict.fromkeys(texts))
    place, undo = safe_next(form.next), {"needs": f"approval:{approval.id}", "next": form.next}
    toast = f"{await _title_of(outcome.actor, approval)} {WORDS[form.decision]}.{effects}"
    if missing := outcome.answer["approvals_missing"]:
        toast = f"{toast} {others_missing(missing)}"
    if approval.is_outside:
        return done(f"{place}#queue", toast=toast)
    return done(f"{place}#queue", toast=toast, undo_action="/needs/undos", undo=undo)


async def _title_of(actor: Actor, approval: Approval) -> str:
    item = await item_of(actor, approval.board, approval.id)
    return item.title if item is not None else action_words(approval.action_type)


@action(pages, f"{APPROVAL}/reopenings", form=ReopeningForm)
async def reopen_approval(outcome: Outcome[Approval, ReopeningForm]) -> ResponseReturnValue:
    approval = outcome.found
    next_url = safe_next(outcome.form.next or f"/boards/{approval.board_id}/approvals")
    what = "waits again." if approval.status != "pending" else "waits for your approval again."
    return done(f"{next_url}#queue", toast=f"{await _title_of(outcome.actor, approval)} {what}")


class ApprovalDeadlineForm(DeadlineForm):
    """How many hours are left, and what happens otherwise."""

    otherwise: Literal["remind", "send_back", "ask"] = "remind"


deadline_actions(pages, APPROVAL, "set_approval_deadline", "remove_approval_deadline", ApprovalDeadlineForm)


PATH = "/boards/<uuid:board_id>/approvals/new"
# What people ask each other for; each reads as a verb in the heading of the approval.
ACTIONS = [
    ("task.finish", "Finish the task"),
    ("publish", "Publish its result"),
    ("deploy", "Deploy it"),
    ("send", "Send it"),
    ("buy", "Buy what it needs"),
    ("delete", "Delete what it is about"),
]


class AskForm(Form):
    """What is to be allowed, why, and until when."""

    task: UUID
    action_type: str = Field(max_length=80)
    reason: str = Field(max_length=20_000)
    hours: Literal["", "1", "4", "24", "72", "168"] = ""

    def body(self, found: Board) -> Fields:
        deadline = {"decide_by": times.clock_now() + timedelta(hours=int(self.hours))} if self.hours else {}
        asked = {"action_type": self.action_type, "task_id": self.task, "lead_reasoning": self.reason}
        return {**asked, **deadline}


@pages.get(PATH)
async def new_approval(board_id: UUID) -> ResponseReturnValue:
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "approval.request", board)
    return await existing(_page(actor, board, {"task": request.args.get("task", "")}, {}))


async def _page(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str | None:
    """Return the form for a task; None when the task is not on the board."""
    task = parse_id(str(values.get("task") or ""))
    found = await rows(
        "SELECT id, number, title FROM tasks WHERE id = ? AND board_id = ? AND deleted_at IS NULL", task, board.id
    )
    if not found:
        return None
    context = {"board": board, "task": found[0], "values": values, "errors": errors, "actions": ACTIONS}
    return await shell_page(actor, "approvals/new.html", active="approvals", hours=list(HOURS.items()), **context)


async def _not_asked(refusal: Refusal[Board, AskForm]) -> ResponseReturnValue:
    error, errors = refusal.error, refusal.errors
    if is_htmx() or not isinstance(error, FormInvalid | Invalid | Conflict):
        raise error
    if not isinstance(error, FormInvalid):
        errors = errors or {"action_type": error.sentence}
    page = await _page(refusal.actor, refusal.found, refusal.values, errors)
    if page is None:
        raise Invalid("The task of this form is not on the board any more.")
    return page


@action(pages, PATH, form=AskForm, refused=_not_asked)
async def create_approval(outcome: Outcome[Board, AskForm]) -> ResponseReturnValue:
    """Ask the people who may decide on the board."""
    url = f"/boards/{outcome.found.id}/tasks/{outcome.form.task}"
    return done(url, toast="Asked. It waits for the people who may decide on this board.")


ENTRY = PaletteEntry("Approvals", "/approvals", "inbox", "queue decide", position=10)
