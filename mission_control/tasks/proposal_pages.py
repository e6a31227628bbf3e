"""The dialog or page in which a proposal of an agent is decided, and the forms of the shelf above the inbox."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.models import Board
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Invalid
from mission_control.core.values import BlankToNone
from mission_control.tasks.models import TaskProposal
from mission_control.tasks.proposals import Decision, proposals_read, visible_proposal
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx
from mission_control.web.fragments import read_ahead, render_macro
from mission_control.web.shell import shell_page

pages = Blueprint("tasks_proposal_pages", __name__)
PROPOSAL = "/boards/<uuid:board_id>/proposals/<uuid:proposal_id>"
TEMPLATE = "tasks/proposal_forms.html"
TOASTS = {"accepted": "Accepted as #{}", "merged": "Merged into #{}", "dropped": "Dropped"}


class DecisionForm(Form):
    """The decision, with the number of the task into which a proposal is merged."""

    decision: Decision
    task: Annotated[Annotated[str, Field(max_length=20)] | None, BlankToNone] = None
    note: Annotated[Annotated[str, Field(max_length=4000)] | None, BlankToNone] = None

    def body(self, found: TaskProposal) -> Fields:
        merges = self.decision == "merge"
        if merges and self.task is None:
            raise FormInvalid(self.model_dump(), {"task": "Enter the number of the task, such as #12."})
        return {"decision": self.decision, "note": self.note, **({"task_id": self.task} if merges else {})}


@pages.get(PROPOSAL)
async def show(board_id: UUID, proposal_id: UUID) -> ResponseReturnValue:
    """Show a proposal with the ways to decide it: a dialog on an open board, else a page."""
    actor, _ = await on_board(board_id)
    return await _form(actor, await visible_proposal(actor, board_id, proposal_id), {}, {})


async def _form(actor: Actor, proposal: TaskProposal, values: dict[str, Any], errors: dict[str, str]) -> str:
    [one] = await proposals_read([proposal.id])
    await read_ahead(one["description"] or "")
    board: Board = proposal.board
    may_decide = one["state"] == "open" and can(actor, "task.decide_proposal", proposal)
    context = {"one": one, "values": values, "errors": errors, "may_decide": may_decide}
    context |= {"merges": "merge" in request.args}
    if is_htmx():
        return render_macro(TEMPLATE, "decision_form" if errors else "dialog_of", **context, in_dialog=True)
    return await shell_page(actor, "tasks/proposal.html", active=f"board-{board.id}", board=board, **context)


@action(pages, f"{PROPOSAL}/decision", form=DecisionForm, refused=again(_form, FormInvalid, Invalid))
async def decide_proposal(outcome: Outcome[TaskProposal, DecisionForm]) -> ResponseReturnValue:
    """Accept, merge or drop a proposal."""
    url, answer = f"/boards/{outcome.found.board_id}", outcome.answer
    toast = TOASTS[answer["state"]].format(answer["task"] and answer["task"]["number"])
    return done(url, toast=toast, undo_action=f"{url}/proposals/{outcome.found.id}/reopening")


@action(pages, f"{PROPOSAL}/reopening")
async def reopen_proposal(outcome: Outcome[TaskProposal, None]) -> ResponseReturnValue:
    """Take the decision back."""
    return done(f"/boards/{outcome.found.board_id}")
