"""Export and import of boards over HTTP."""

from collections.abc import AsyncIterator

from quart import Response

from mission_control.boards.commands import slugify
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.values import OK, ErrorResponse, OkResponse
from mission_control.http.body_limit import BodyLimit
from mission_control.http.operation_api import Api
from mission_control.people.jobs.commands import JobRead
from mission_control.transfer import staged
from mission_control.transfer.exporting import contents_of, file_pieces, tasks_csv
from mission_control.transfer.file import BoardFile, BoardImportRead
from mission_control.transfer.models import BoardImport

api = Api(__name__, "boards", below="/boards")


@api.get("/<board_id>/export", BoardFile, rule="board.export", errors={413: ErrorResponse})
async def export_board(actor: Actor, board: Board) -> Response:
    """Export a board: its tasks, comments, approvals, memory and the work of its agents as one JSON file.

    Tasks are named by number, people by e-mail, agents by name. Attached files and the trash are left out. Runs and
    sessions that go on are there as if they had ended.
    """
    return _streamed(file_pieces(await contents_of(board)), "application/json")


def _streamed(pieces: AsyncIterator[bytes], content_type: str, headers: dict[str, str] | None = None) -> Response:
    response = Response(pieces, 200, headers, content_type=content_type)
    response.timeout = None
    return response


@api.get("/<board_id>/export/tasks.csv", rule="board.export", errors={413: ErrorResponse}, media=("text/csv",))
async def export_tasks(actor: Actor, board: Board) -> Response:
    """Export the tasks of a board as a table.

    Text that a spreadsheet would read as a formula gets an apostrophe in front.
    """
    name = f"{slugify(board.name)[:100]}-tasks.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return _streamed(tasks_csv(await contents_of(board)), "text/csv; charset=utf-8", headers)


@api.post("/imports", rule="board.import", errors={413: ErrorResponse})
async def create_board_import(actor: Actor, data: BoardFile) -> BoardImportRead:
    """Look at an exported file before its import: what it would bring, and what would be left out.

    The file is kept for a day. Start its import, or delete it.
    """
    return await staged.stage(actor, actor.organization_id, data)


@api.get("/imports/<import_id>")
async def get_board_import(actor: Actor, waiting: BoardImport) -> BoardImportRead:
    """Read what the import of your file would bring."""
    return staged.serialize_import(waiting)


@api.post(
    "/imports/<import_id>/starts", rule="board_import.change", errors={409: ErrorResponse}, is_atomic=False, status=202
)
async def start_board_import(actor: Actor, waiting: BoardImport) -> JobRead:
    """Import your file as a job that you may leave. `GET /jobs/{job_id}` says how far it is, and its result.

    An import that failed or was interrupted leaves nothing behind and can be started again.
    """
    return await staged.start(actor, waiting)


@api.delete("/imports/<import_id>", rule="board_import.change")
async def delete_board_import(actor: Actor, waiting: BoardImport) -> OkResponse:
    """Forget your file. A running import goes on."""
    await staged.discard(actor, waiting.organization_id, waiting)
    return OK


FILES = BodyLimit("POST", "/api/v1/boards/imports", "import_max_bytes")
