"""The settings of a board."""

from typing import Any
from uuid import UUID

import orjson
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.cards import people_of
from mission_control.boards.figures import figures_of, group_choices
from mission_control.boards.forms import KINDS, BoardDeletionForm, BoardSettingsForm, LimitForm
from mission_control.boards.gateway_choice import gateway_choices
from mission_control.boards.index_pages import on_board
from mission_control.boards.models import Board
from mission_control.boards.statuses import LABELS
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.policy import can, require
from mission_control.web.actions import Outcome, Refusal, action, again, same_form_again
from mission_control.web.forms import EditConflict, FormInvalid, done, go
from mission_control.web.shell import shell_page

pages = Blueprint("boards_settings_pages", __name__)
SETTINGS, DELETION = "/boards/<uuid:board_id>/settings", "/boards/<uuid:board_id>/deletion"


@pages.get("/boards/<uuid:board_id>/settings")
async def settings(board_id: UUID) -> ResponseReturnValue:
    """Show the form of a board's settings."""
    actor, board = await on_board(board_id)
    require(actor, "board.update", board)
    values = BoardSettingsForm.shown(board)
    return await _settings(actor, board, values, {}, is_saved=request.args.get("saved") == "1")


async def _settings(
    actor: Actor, board: Board, values: dict[str, Any], errors: dict[str, str], *, is_saved: bool = False
) -> str:
    return await shell_page(
        actor,
        "boards/settings.html",
        active=f"board-{board.id}",
        board=board,
        values=values,
        errors=errors,
        is_saved=is_saved,
        gateways=await gateway_choices(actor, board),
        groups=await group_choices(actor, board.organization_id),
        kinds=KINDS if board.board_type in dict(KINDS) else [*KINDS, (board.board_type, board.board_type)],
        json=orjson.dumps(board.success_metrics or {}, option=orjson.OPT_INDENT_2).decode(),
        people=await people_of(board),
        figures=await figures_of(board),
        may_delete=can(actor, "board.delete", board),
    )


@action(
    pages, "POST", SETTINGS, performs="update_board", form=BoardSettingsForm,
    refused=again(_settings, EditConflict, FormInvalid, Invalid),
)  # fmt: skip
async def save_settings(outcome: Outcome[Board, BoardSettingsForm]) -> ResponseReturnValue:
    """Change a board."""
    return go(f"/boards/{outcome.found.id}/settings?saved=1")


async def _refused_limit(refusal: Refusal[Board, LimitForm]) -> ResponseReturnValue:
    return same_form_again(refusal.error, f"version-wip-{refusal.values.get('status')}")


@action(
    pages, "POST", "/boards/<uuid:board_id>/limits", performs="update_board", form=LimitForm, refused=_refused_limit
)  # fmt: skip
async def limit(outcome: Outcome[Board, LimitForm]) -> ResponseReturnValue:
    """Set how many tasks a column takes."""
    form, board = outcome.form, outcome.found
    said = f"takes {form.limit}" if form.limit else "takes any number of tasks"
    return done(f"/boards/{board.id}", toast=f"{LABELS[form.status]} {said}")


async def _refused_deletion(refusal: Refusal[Board, BoardDeletionForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    values = {**BoardSettingsForm.shown(refusal.found), "typed": refusal.values.get("typed", "")}
    return await _settings(refusal.actor, refusal.found, values, refusal.errors)


@action(pages, "POST", DELETION, performs="delete_board", form=BoardDeletionForm, refused=_refused_deletion)
async def delete(outcome: Outcome[Board, BoardDeletionForm]) -> ResponseReturnValue:
    """Delete a board whose name was typed."""
    return go("/boards")
