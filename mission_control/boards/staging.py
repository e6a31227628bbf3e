"""Import and erase boards in pieces, in transactions that let others write in between.

SQLite has one writer at a time. Nobody can see a staged board. Every piece renews the lease of the process that works
on it (`absent_since`). When that ends, because the process was killed, another one deletes what is left: each looks
every few seconds. On SQLite the next start does it, because there is one server only.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from tortoise.models import Model
from tortoise.transactions import in_transaction

from mission_control.background.loops import Loop
from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.errors import NotFound
from mission_control.database.sql import rows
from mission_control.people.jobs import commands as jobs

PIECE = 100  # rows of one transaction
LEASE = timedelta(minutes=1)
RENEWAL = "UPDATE boards SET absent_since = ? WHERE id = ? AND absent_since IS NOT NULL RETURNING id"
COUNTED = ("figure_sums", "figure_changes", "figure_tasks")
# What a board holds much of, and how many rows are deleted at a time; the rest is deleted with the board.
HELD = (
    (
        "session_activities",
        "SELECT c.id FROM session_activities c JOIN agent_sessions s ON s.id = c.session_id WHERE s.board_id = ?",
        10 * PIECE,
    ),
    ("deliveries", "SELECT d.id FROM run_notes n JOIN deliveries d ON d.id = n.id WHERE n.board_id = ?", 10 * PIECE),
    ("task_comments", "SELECT c.id FROM task_comments c JOIN tasks t ON t.id = c.task_id WHERE t.board_id = ?", PIECE),
    ("approvals", "SELECT id FROM approvals WHERE board_id = ?", PIECE),
    ("tasks", "SELECT id FROM tasks WHERE board_id = ?", PIECE),
    ("board_memory", "SELECT id FROM board_memory WHERE board_id = ?", PIECE),
    ("board_webhook_payloads", "SELECT id FROM board_webhook_payloads WHERE board_id = ?", PIECE),
    (
        "outgoing_deliveries",
        "SELECT d.id FROM outgoing_deliveries d JOIN outgoing_webhooks w ON w.id = d.webhook_id WHERE w.board_id = ?",
        10 * PIECE,
    ),
    ("agents", "SELECT id FROM agents WHERE board_id = ?", 1),
    *((name, f"SELECT id FROM {name} WHERE board_id = ?", 10 * PIECE) for name in COUNTED),
)


async def begin(board: Board) -> None:
    board.deleted_at = board.absent_since = times.clock_now()
    await board.save(force_create=True)


async def store(board_id: UUID, things: Iterable[Model]) -> None:
    for piece in batched(things, PIECE, strict=False):
        async with in_transaction():
            await _touch(board_id, times.clock_now())
            await type(piece[0]).bulk_create(piece)
        await jobs.advance(len(piece))


async def appear(board_id: UUID) -> Board:
    """Make a staged board visible when the running command commits. Raise NotFound when it has been deleted."""
    await _touch(board_id, None)
    await rows("UPDATE boards SET deleted_at = NULL WHERE id = ?", board_id)
    return await Board.get(id=board_id)


async def _touch(board_id: UUID, moment: datetime | None) -> None:
    if not await rows(RENEWAL, moment, board_id):
        raise NotFound()


async def clear(board_id: UUID) -> None:
    for table, query, at_once in HELD:
        while gone := await rows(f"DELETE FROM {table} WHERE id IN ({query} LIMIT {at_once}) RETURNING id", board_id):
            await rows(RENEWAL, times.clock_now(), board_id)
            await jobs.advance(len(gone))
    await rows("DELETE FROM boards WHERE id = ? AND absent_since IS NOT NULL", board_id)


async def number_held(board_id: UUID) -> int:
    counts = " + ".join(f"(SELECT COUNT(*) FROM ({query}) AS {table}_held)" for table, query, _ in HELD)
    [row] = await rows(f"SELECT {counts} AS n", *[board_id] * len(HELD))
    return int(row["n"])


async def clear_abandoned(before: datetime) -> None:
    """Delete the boards whose lease was not renewed since a moment."""
    for row in await rows("SELECT id FROM boards WHERE absent_since < ?", before):
        # Only one process gets it.
        taken = "UPDATE boards SET absent_since = ? WHERE id = ? AND absent_since < ? RETURNING id"
        if await rows(taken, times.clock_now(), row["id"], before):
            await clear(row["id"])


STAGING = Loop(
    name="looking for boards left half done",
    look=lambda: clear_abandoned(times.clock_now() - LEASE),
    pause=10.0,
    take_over=lambda: clear_abandoned(times.clock_now()),
)
