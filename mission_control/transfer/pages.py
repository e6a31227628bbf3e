"""Export and import of boards as pages of the settings."""

import asyncio
from typing import Self
from uuid import UUID

from pydantic import ValidationError
from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, Invalid
from mission_control.http.body_limit import BodyLimit
from mission_control.people.models import Job
from mission_control.transfer.file import BoardFile
from mission_control.transfer.models import BoardImport
from mission_control.transfer.staged import serialize_import, visible_import
from mission_control.web.actions import Outcome, action, again
from mission_control.web.forms import Fields, Form, FormInvalid, go
from mission_control.web.shell import SettingsPage, settings_page, signed_in

NO_FILE = "Choose a file that was exported from a board."
NO_BOARD_FILE = "This is no file of a board. Choose the JSON file that a board's export gives."


class ImportForm(Form):
    """An exported file, in the field `file`."""

    file_read: BoardFile | None = None

    @classmethod
    async def read(cls) -> Self:
        """Read the file of the request. Raise FormInvalid when it is no file of a board."""
        given = (await request.files).get("file")
        text: bytes = given.read() if given is not None else b""
        if not text.strip():
            raise FormInvalid({}, {"file": NO_FILE})
        try:
            return cls(file_read=await asyncio.to_thread(BoardFile.model_validate_json, text))
        except ValidationError as error:
            raise FormInvalid({}, {"file": _sentence(error)}) from None

    def body(self, found: object) -> BoardFile | None:
        return self.file_read


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong with a file, and where."""
    first = error.errors()[0]
    if first["type"] == "json_invalid" or first["loc"][:1] in (("format",), ("board",)):
        return NO_BOARD_FILE
    if first["loc"][:1] == ("version",):
        return "This file is of another version of Mission Control, which this one cannot read."
    place = ".".join(str(key) for key in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"The file cannot be used{f' at {place}' if place else ''}: {reason}."


pages = Blueprint("exports_pages", __name__)
PATH = "/settings/import-export"
SETTINGS = SettingsPage(
    "import-export", "Organization", "Import and export", PATH, "paperclip", 180, "backup file json csv download"
)
LABELS = {"file": "File of a board"}
IMPORT = f"{PATH}/<uuid:import_id>"


@pages.get(PATH)
async def index() -> str:
    """Show the boards with their files, and the form that takes one."""
    return await _index(await signed_in(), None, {}, {})


async def _index(actor: Actor, found: None, values: Fields, errors: dict[str, str]) -> str:
    may_import = can(actor, "board.import", actor.organization_id)
    mine = BoardImport.filter(organization_id=actor.organization_id, user_id=actor.user_id)
    waiting = await mine.only("id", "preview", "job_id", "created_at").order_by("-created_at").limit(20)
    return await settings_page(
        actor,
        "transfer/index.html",
        SETTINGS.key,
        boards=await boards_of(actor),
        may_import=may_import,
        waiting=[serialize_import(one) for one in waiting] if may_import else [],
        errors=errors,
        labels=LABELS,
    )


@action(pages, PATH, form=ImportForm, refused=again(_index, FormInvalid, Invalid))
async def create_board_import(outcome: Outcome[None, ImportForm]) -> ResponseReturnValue:
    """Keep a file, and show what its import would bring."""
    return go(f"{PATH}/{outcome.answer.id}")


@pages.get(IMPORT)
async def preview(import_id: UUID) -> str:
    actor = await signed_in()
    require(actor, "board.import", actor.organization_id)
    return await _preview(actor, await visible_import(actor, import_id), {}, {})


async def _preview(actor: Actor, waiting: BoardImport, values: Fields, errors: dict[str, str]) -> str:
    job = await Job.get_or_none(id=waiting.job_id) if waiting.job_id else None
    problem = " ".join(errors.values())
    context = {"file": serialize_import(waiting), "job": job, "problem": problem}
    return await settings_page(actor, "transfer/preview.html", SETTINGS.key, **context)


@action(pages, f"{IMPORT}/starts", refused=again(_preview, Conflict))
async def start_board_import(outcome: Outcome[BoardImport, None]) -> ResponseReturnValue:
    """Import a file as a job, and show how far it is."""
    return go("/work")


@action(pages, f"{IMPORT}/deletions")
async def delete_board_import(outcome: Outcome[BoardImport, None]) -> ResponseReturnValue:
    return go(PATH)


FILES = BodyLimit("POST", "/settings/import-export", "import_max_bytes")
