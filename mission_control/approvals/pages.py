"""The pages of approvals: the queue of all boards or of one, one approval, and the form by which people ask."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, model_validator
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from mission_control.approvals import queue
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import action_words
from mission_control.approvals.queries import visible_approval
from mission_control.approvals.queue import Item
from mission_control.approvals.queue_page import KINDS, TEMPLATE, address_of, queue_context, queue_stream
from mission_control.approvals.schemas import Decision, RejectedTask
from mission_control.asks.deadlines import HOURS
from mission_control.asks.pages import OTHERWISE, AskPage, DeadlineForm, deadline_actions
from mission_control.boards.models import Board
from mission_control.boards.queries import visible_board
from mission_control.core import times
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict, Invalid, NotFound
from mission_control.core.values import parse_id
from mission_control.database.sql import rows
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import render_block, render_macro
from mission_control.web.shell import PaletteEntry, safe_next, shell_page, signed_in


class DecisionForm(Form):
    """A person's decision; `from` says whether it comes from a row of the queue or from a dialog."""

    decision: Decision
    note: str | None = Field(None, max_length=4000)
    always: bool = False
    then: RejectedTask = "inbox"
    origin: Literal["row", "dialog", ""] = Field("", alias="from")
    substance: str | None = None
    next: str = "/approvals"

    @model_validator(mode="before")
    @classmethod
    def _rejection(cls, sent: object) -> object:
        """A button that says where the task of rejected work goes rejects it."""
        return {"decision": "rejected", **sent} if isinstance(sent, dict) and "then" in sent else sent

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "DecisionForm":
        if self.decision == "changes_requested" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: Approval) -> Fields:
        always = self.always and self.decision == "approved"
        return self.model_dump(include={"decision", "note", "then", "substance"}) | {"always": always}


class ReopeningForm(Form):
    """The page to go on to after an approval is reopened."""

    next: str = ""


pages = Blueprint("approvals_pages", __name__)
APPROVAL = "/boards/<uuid:board_id>/approvals/<uuid:approval_id>"
FORMS = "approvals/forms.html"
PAGE = AskPage[Item](
    kind="approval",
    template="approvals/show.html",
    model=Approval,
    item=queue.item,
    otherwise=lambda _item: {"remind": OTHERWISE["remind"], "send_back": "send it back", "ask": OTHERWISE["ask"]},
    idle=lambda _board: {"sentence": "", "next_url": ""},
)
REGIONS = PAGE.regions(*KINDS)
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
    return await queue_stream(actor, None)


@pages.get("/boards/<uuid:board_id>/approvals")
async def board_approvals(board_id: UUID) -> ResponseReturnValue:
    """What needs a decision on one board."""
    actor = await signed_in()
    return await _queue_page(actor, await visible_board(actor, board_id))


@pages.get("/boards/<uuid:board_id>/approvals/live")
async def board_live(board_id: UUID) -> Response:
    """Keep the queue of one board live."""
    actor = await signed_in()
    return await queue_stream(actor, await visible_board(actor, board_id))


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>")
async def one_approval(board_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """One approval of a board, whatever its state."""
    actor = await signed_in()
    return await _one_page(actor, await visible_approval(actor, board_id, approval_id))


async def _one_page(actor: Actor, approval: Approval, **more: str) -> str:
    context = await PAGE.context(actor, approval.board, approval.id)
    return await shell_page(actor, PAGE.template, active="approvals", **context | more)


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>/live")
async def one_live(board_id: UUID, approval_id: UUID) -> Response:
    """Keep the page of one approval live."""
    actor = await signed_in()
    approval = await visible_approval(actor, board_id, approval_id)
    return await PAGE.stream(actor, approval.board, approval.id)


async def _queue_page(actor: Actor, board: Board | None) -> str:
    view = address_of(board, times.clock_now())
    active = f"board-{board.id}" if board else "approvals"
    return await shell_page(actor, TEMPLATE, active=active, **await queue_context(actor, view))


@pages.get("/boards/<uuid:board_id>/approvals/<uuid:approval_id>/send-back")
async def send_back_form(board_id: UUID, approval_id: UUID) -> ResponseReturnValue:
    """Ask what should change: a dialog for htmx, else a page."""
    actor = await signed_in()
    approval = await visible_approval(actor, board_id, approval_id)
    return await _send_back(actor, approval, {}, {})


async def _send_back(actor: Actor, approval: Approval, values: dict[str, Any], errors: dict[str, str]) -> str:
    item = await queue.item(actor, approval.board, approval.id)
    next_url = safe_next(values.get("next") or request.args.get("next") or f"/boards/{approval.board_id}/approvals")
    seen = values.get("substance") or request.args.get("substance") or (item.substance if item else "")
    context: dict[str, object] = {"item": item, "values": values, "errors": errors, "next_url": next_url, "seen": seen}
    if not is_htmx():
        return await shell_page(actor, "approvals/send_back.html", active="approvals", **context)
    if not errors:
        return render_macro(FORMS, "send_back_dialog", item=item, next_url=next_url, seen=seen)
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
    if is_htmx() and form.origin == "dialog":
        return render_macro(FORMS, "too_late", sentence=late.sentence)
    context = {"sentence": late.sentence, "next_url": safe_next(form.next)}
    if not is_htmx():
        return await _one_page(actor, approval, **context)
    item = await queue.item(actor, approval.board, approval.id)
    return await render_block(PAGE.template, "row", item=item, **context)


@action(pages, f"{APPROVAL}/decisions", form=DecisionForm, refused=_not_decided)
async def decide_approval(outcome: Outcome[Approval, DecisionForm]) -> ResponseReturnValue:
    """Approve, send back or reject; only the first decision counts."""
    approval, form = outcome.found, outcome.form
    title, effects = await _title_of(outcome.actor, approval), _effects_of(outcome.answer["outcomes"])
    place, undo = safe_next(form.next), {"needs": f"approval:{approval.id}", "next": form.next}
    toast = f"{title} {WORDS[form.decision]}.{effects}"
    if approval.gateway_id is not None:
        return done(f"{place}#queue", toast=toast)
    return done(f"{place}#queue", toast=toast, undo_action="/needs/undos", undo=undo)


async def _title_of(actor: Actor, approval: Approval) -> str:
    item = await queue.item(actor, approval.board, approval.id)
    return item.title if item is not None else action_words(approval.action_type)


def _effects_of(outcomes: list[dict[str, Any]]) -> str:
    """Say what a decision did to tasks, as sentences that follow the decision."""
    said = {
        "finished": "It is done.",
        "sent_back": "Its agent takes it up again.",
        "returned": "It is back in the inbox.",
        "taken_over": "It is yours now.",
        "deleted": "It is in the trash.",
        "closed": "",
    }
    texts = [said.get(one["outcome"], f"It is not done yet. {one['reason']}") for one in outcomes]
    return "".join(f" {text}" for text in dict.fromkeys(texts) if text)


@action(pages, f"{APPROVAL}/reopenings", form=ReopeningForm)
async def reopen_approval(outcome: Outcome[Approval, ReopeningForm]) -> ResponseReturnValue:
    """Make a decided approval pending again."""
    approval = outcome.found
    next_url = safe_next(outcome.form.next or f"/boards/{approval.board_id}/approvals")
    return done(f"{next_url}#queue", toast=f"{await _title_of(outcome.actor, approval)} waits again.")


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
CERTAIN = 100  # a person who asks states no confidence


class AskForm(Form):
    """What is to be allowed, why, and until when."""

    task: UUID
    action_type: str = Field(max_length=80)
    reason: str = Field(max_length=20_000)
    hours: Literal["", "1", "4", "24", "72", "168"] = ""

    def body(self, found: Board) -> Fields:
        deadline = {"decide_by": times.clock_now() + timedelta(hours=int(self.hours))} if self.hours else {}
        asked = {"action_type": self.action_type, "task_id": self.task, "lead_reasoning": self.reason}
        return {**asked, "confidence": CERTAIN, **deadline}


@pages.get(PATH)
async def new_approval(board_id: UUID) -> ResponseReturnValue:
    """Show the form for a task."""
    actor = await signed_in()
    board = await visible_board(actor, board_id)
    require(actor, "approval.request", board)
    page = await _page(actor, board, {"task": request.args.get("task", "")}, {})
    if page is None:
        raise NotFound()
    return page


async def _page(actor: Actor, board: Board, values: dict[str, object], errors: dict[str, str]) -> str | None:
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
