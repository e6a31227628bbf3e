"""Notice that a gateway's main agent does not answer: its message arrived, and nothing came for five minutes."""

import logging
from datetime import timedelta

from mission_control.boards.commands import locked_board
from mission_control.boards.models import Board
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import record
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import NotFound
from mission_control.database.sql import as_id, as_moment, rows
from mission_control.live import channels
from mission_control.onboarding.models import OnboardingSession

PATIENCE = timedelta(minutes=5)
CHANNEL = "onboarding"
LONGEST_PAUSE_SECONDS = 15.0
WAITING = (
    " FROM board_onboarding_sessions s JOIN deliveries d ON d.id = s.delivery_id"
    " JOIN boards b ON b.id = s.board_id AND b.deleted_at IS NULL AND b.absent_since IS NULL"
    " WHERE s.delivery_id IS NOT NULL AND s.silent_at IS NULL AND s.cancelled_at IS NULL AND d.state = 'sent'"
)

_log = logging.getLogger(__name__)


def look_now() -> None:
    """Look immediately, such as when the clock was set."""
    channels.notify([CHANNEL])


async def watch_for_silence() -> None:
    """Note which agents have been silent for too long, in an endless loop."""
    while True:
        pause = LONGEST_PAUSE_SECONDS
        with channels.listening(CHANNEL) as notified:
            try:
                await note_silences()
                pause = await _seconds_left()
            except Exception:
                _log.exception("looking for silent agents failed")
            await channels.notified_within(notified, pause)


async def note_silences() -> int:
    """Note every wait that became too long; return how many."""
    found = await rows(f"SELECT s.id, s.board_id{WAITING} AND d.sent_at <= ?", clock.now() - PATIENCE)
    for row in found:
        board = await Board.get_or_none(id=as_id(row["board_id"]))
        if board is not None:
            try:
                await note_silence(system(board.organization_id), board)
            except NotFound:
                continue  # the board was deleted; the wait ends when it is restored
    return len(found)


@command("onboarding.watch")
async def note_silence(actor: Actor, board: Board) -> None:
    """Note that the agent of a board's conversation is silent; a no-op when it has answered."""
    board = await locked_board(board)
    now = clock.now()
    late = await rows(f"SELECT s.id{WAITING} AND d.sent_at <= ? AND s.board_id = ?", now - PATIENCE, board.id)
    for row in late:
        await OnboardingSession.filter(id=as_id(row["id"])).update(silent_at=now)
        minutes = int(PATIENCE.total_seconds() // 60)
        message = f"No answer about {board.name} for {minutes} minutes."
        record("onboarding.agent_silent", board, message, session_id=str(as_id(row["id"])))


async def _seconds_left() -> float:
    """Return the seconds until the next wait becomes too long, within the longest pause."""
    [row] = await rows(f"SELECT MIN(d.sent_at) AS sent{WAITING}")
    sent = as_moment(row["sent"])
    if sent is None:
        return LONGEST_PAUSE_SECONDS
    left = (sent + PATIENCE - clock.now()).total_seconds()
    return min(max(left, 1.0), LONGEST_PAUSE_SECONDS)
