"""The dialog or page in which a proposal of an agent is decided, and the forms of the shelf above the inbox."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.core.values import BlankToNone
from mission_control.tasks.forms import OwnFieldsForm, fields_of
from mission_control.tasks.models import TaskProposal
from mission_control.tasks.panel.new_pages import misses_fields
from mission_control.tasks.proposals.commands import Decision, proposals_read, visible_proposal
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, FormValues, done, is_htmx
from mission_control.web.fragments import partial, read_ahead, render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_proposal_pages", __name__)
PROPOSAL = "/boards/<uuid:board_id>/proposals/<uuid:proposal_id>"
TEMPLATE = "tasks/proposal_forms.html"
TOASTS = {"accepted": "Accepted as #{}", "merged": "Merged into #{}", "dropped": "Dropped"}


class DecisionForm(OwnFieldsForm):
    """The decision, with the number of the task into which a proposal is merged, and what the board requires of one."""

    decision: Decision
    task: Annotated[Annotated[str, Field(max_length=20)] | None, BlankToNone] = None
    note: Annotated[Annotated[str, Field(max_length=4000)] | None, BlankToNone] = None

    def body(self, found: TaskProposal) -> Fields:
        said = {"decision": self.decision, "note": self.note}
        if self.decision == "accept":
            return said | {"custom_field_values": self.own()}
        if self.decision == "merge" and self.task is None:
            raise FormInvalid(self.model_dump(), {"task": "Enter the number of the task, such as #12."})
        return said | ({"task_id": self.task} if self.decision == "merge" else {})


@pages.get(PROPOSAL)
async def show(board_id: UUID, proposal_id: UUID) -> ResponseReturnValue:
    """Show a proposal with the ways to decide it: a dialog on an open board, else a page."""
    actor, _ = await on_board(board_id)
    return await _form(actor, await visible_proposal(actor, board_id, proposal_id), {}, {})


async def _form(actor: Actor, proposal: TaskProposal, values: FormValues, errors: dict[str, str]) -> str:
    [one] = await proposals_read([proposal.id])
    await read_ahead(one["description"] or "")
    board: Board = proposal.board
    may_decide = one["state"] == "open" and can(actor, "task.decide_proposal", proposal)
    context = {"one": one, "values": values, "errors": errors, "may_decide": may_decide}
    required = [field for field in await fields_of(board.id, None) if field.is_missing] if may_decide else []
    context |= {"merges": "merge" in request.args, "fields": required}
    if is_htmx():
        is_sent_again = bool(errors) and "note" in await request.form  # the forms of the shelf have none
        html = render_macro(TEMPLATE, "decision_form" if is_sent_again else "dialog_of", **context, in_dialog=True)
        return partial("#dialogs", html, "innerHTML") if errors and not is_sent_again else html
    return await shell_page(actor, "tasks/proposal.html", active=f"board-{board.id}", board=board, **context)


async def _refused(refusal: Refusal[TaskProposal, DecisionForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Invalid)
    values, missing = {**refusal.values}, misses_fields(refusal.error)
    if refusal.form is not None:
        values["fields"] = refusal.form.fields
    if not missing:
        return await _form(refusal.actor, refusal.found, values, refusal.errors)
    names = [one.name for one in await fields_of(refusal.found.board_id, None) if one.key in missing]
    errors = refusal.errors | dict.fromkeys(names, "Fill this in.")
    return await _form(refusal.actor, refusal.found, values, errors)


@action(pages, f"{PROPOSAL}/decision", form=DecisionForm, refused=_refused)
async def decide_proposal(outcome: Outcome[TaskProposal, DecisionForm]) -> ResponseReturnValue:
    url, answer = f"/boards/{outcome.found.board_id}", outcome.answer
    toast = TOASTS[answer["state"]].format(answer["task"] and answer["task"]["number"])
    return done(url, toast=toast, undo_action=f"{url}/proposals/{outcome.found.id}/reopening")


@action(pages, f"{PROPOSAL}/reopening")
async def reopen_proposal(outcome: Outcome[TaskProposal, None]) -> ResponseReturnValue:
    return done(f"/boards/{outcome.found.board_id}")
