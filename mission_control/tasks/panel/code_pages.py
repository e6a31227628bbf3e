"""What a hand-in changed in a repository: the diff by file, and comments at its lines that send the work back."""

import asyncio
import re
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

from pydantic import ValidationError
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.approvals.payloads import asks_to_finish
from mission_control.approvals.views import pending_of
from mission_control.boards.forge_states import HandedIn, HandIn, handed_in
from mission_control.boards.pages import on_board
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.substance import substance_of
from mission_control.core.text.diffs import FileDiff, parsed, visible
from mission_control.core.values import JsonObject
from mission_control.database.sql import as_json, rows
from mission_control.tasks.board.view import BoardView, view_of
from mission_control.tasks.models import AttachmentContent, Task
from mission_control.tasks.panel.frame import Panel, of_panel, panel_in, panel_region
from mission_control.tasks.panel.pages import TASK
from mission_control.tasks.schemas import LineComment
from mission_control.tasks.seen import parts_of_tasks
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, done, is_htmx, sentences
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.shell import shell_page

MOST_LINES, MOST_FILES, LONGEST_OUTPUT = 1500, 200, 20_000
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LINE = re.compile(r"line:(new|old|file):([0-9]{0,9}):(.+)", re.DOTALL)
AT = "at"  # the button at a line, where no script opens its field
TEMPLATE = "tasks/code.html"

pages = Blueprint("code_pages", __name__)


@dataclass(frozen=True, slots=True)
class CodeShown:
    """The change in a repository that the last hand-in brought. `hidden_files` are so many that are not listed."""

    facts: JsonObject
    files: list[FileDiff]
    hidden_files: int
    tests: str
    known: HandedIn
    substance: str
    may_review: bool

    @property
    def added(self) -> int:
        return sum(one.added for one in self.files)

    @property
    def removed(self) -> int:
        return sum(one.removed for one in self.files)


async def code_of(panel: Panel) -> CodeShown | None:
    found = await rows(LAST_CODE, panel.id)
    facts = as_json(found[0]["code"]) if found else None
    if not facts:
        return None
    files, tests = await _files_of(facts), await _text_of(facts.get("tests_id"))
    output = visible(COLOURS.sub("", tests)[-LONGEST_OUTPUT:])
    [known] = await handed_in([HandIn(panel.board_id, facts, found[0]["ended_at"])])
    parts = (await parts_of_tasks([panel.id]))[panel.id]
    may_review = panel.may_write and panel.status == "review"
    hidden = max(0, len(files) - MOST_FILES)
    return CodeShown(facts, files[:MOST_FILES], hidden, output, known, substance_of(parts), may_review)


LAST_CODE = "SELECT code, ended_at FROM task_runs WHERE task_id = ? AND state = 'completed' ORDER BY fence DESC LIMIT 1"


async def change_of(task_id: UUID) -> list[FileDiff]:
    found = await rows(LAST_CODE, task_id)
    return (await _files_of(as_json(found[0]["code"]) or {}))[:MOST_FILES] if found else []


async def _files_of(facts: JsonObject) -> list[FileDiff]:
    return await asyncio.to_thread(parsed, await _text_of(facts.get("diff_id")), "", MOST_LINES)


async def _text_of(attachment_id: str | None) -> str:
    stored = await AttachmentContent.get_or_none(attachment_id=attachment_id) if attachment_id else None
    return bytes(stored.content).decode("utf-8", "replace") if stored else ""


async def code(_view: BoardView, panel: Panel) -> str:
    shown = await code_of(panel)
    return "" if shown is None else render_macro(TEMPLATE, "code", panel=panel, code=shown, typed={}, errors={})


NEWS = of_panel(
    "task.run_completed", "task.code_", "task.status_changed", "task.updated", "task.restored", "task.file_removed"
)  # fmt: skip
REGIONS = (panel_region("code", NEWS, code),)


class ReviewForm(Form):
    """What should change: a note, and comments at lines, whose fields name the line: `line:new:12:app.py`."""

    decision: Literal["changes_requested"] = "changes_requested"
    note: str | None = None
    lines: list[LineComment] = []
    substance: str | None = None

    @classmethod
    async def read(cls) -> Self:
        typed = await _typed()
        if AT in typed:  # nothing is sent yet: the form comes back with a field at that line
            raise FormInvalid(typed, {})
        lines = [_comment(name, text) for name, text in typed.items() if LINE.fullmatch(name) and text.strip()]
        try:
            return cls.model_validate({
                "note": typed.get("note", "").strip() or None, "lines": lines, "substance": typed.get("substance"),
            })  # fmt: skip
        except ValidationError as error:
            raise FormInvalid(typed, sentences(error.errors())) from None


async def _typed() -> dict[str, str]:
    """Return the fields of the running form, with line breaks as they are stored."""
    return {name: text.replace("\r\n", "\n") for name, text in (await request.form).items()}


def _comment(name: str, text: str) -> PageContext:
    [(side, line, path)] = LINE.findall(name)
    return {"path": path, "line": int(line) if line else None, "is_former": side == "old", "text": text.strip()}


@pages.get(f"{TASK}/diff")
async def show_diff(board_id: UUID, task_id: UUID) -> ResponseReturnValue:
    actor, board = await on_board(board_id)
    return await _page(actor, view_of(actor, board, panel_id=task_id), {}, {})


async def _page(actor: Actor, view: BoardView, typed: Fields, errors: dict[str, str]) -> ResponseReturnValue:
    panel = await panel_in(view)
    shown = panel and await code_of(panel)
    if panel is None or shown is None:
        raise NotFound("Nothing in a repository was handed in here.")
    context = {"panel": panel, "code": shown, "typed": typed, "errors": errors}
    return await shell_page(actor, "tasks/diff.html", active=f"board-{view.board.id}", **context)


async def _asked(actor: Actor, task: Task) -> str:
    """Return what is answered by sending the work back: the request to finish it, else the review."""
    asked = await pending_of(task.id)
    return f"approval:{asked['id']}" if asked and asks_to_finish(asked["action_type"]) else f"review:{task.id}"


async def _not_sent(refusal: Refusal[Task, ReviewForm]) -> ResponseReturnValue:
    """Say why nothing was sent; what was typed stays in its fields."""
    task = refusal.found
    if is_htmx():
        return render_macro("tasks/panel_gone.html", "reason", sentence=refusal.sentence)
    view, typed = view_of(refusal.actor, task.board, panel_id=task.id), await _typed()
    errors = {"note": refusal.sentence} if refusal.sentence else {}
    try:
        return await _page(refusal.actor, view, {typed.get(AT, ""): "", **typed}, errors)
    except NotFound:  # no code was handed in, or no longer
        raise refusal.error from None


@action(pages, f"{TASK}/reviews", form=ReviewForm, before=_asked, refused=_not_sent)
async def review_task(outcome: Outcome[Task, ReviewForm]) -> ResponseReturnValue:
    task = outcome.found
    undo = {"needs": outcome.before, "next": task.url}
    return done(task.url, toast=f"#{task.number} sent back", undo_action="/needs/undos", undo=undo)
