"""Commands that create, change and delete boards."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from mission_control.boards import staging
from mission_control.boards.models import Board
from mission_control.boards.schemas import BoardCreate, BoardUpdate
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.errors import Forbidden, Invalid, NotFound, existing, invalid_field
from mission_control.core.limits import require_scope
from mission_control.core.programs import program_name, unheld_programs
from mission_control.database.sql import is_postgres, placeholders, rows
from mission_control.events.commands import command
from mission_control.events.event_log import Kind, NewEvent
from mission_control.events.unit_of_work import react, reacts_to, record
from mission_control.gateways.queries import hold_for_board
from mission_control.http import lookups
from mission_control.needs.escalation import escalation_of
from mission_control.needs.recipients import writers, writers_among
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobRead, JobResult
from mission_control.people.organizations import work_state
from mission_control.people.organizations.work_state import WorkStateChange, set_work_state

EVENTS = (
    Kind("board.created", "A board was created.", "made the board"),
    Kind("board.updated", "A board's fields or rules changed."),
    Kind("board.deleted", "A board was deleted; it can be restored.", "deleted the board"),
    Kind("board.restored", "A deleted board was restored with everything on it.", "restored the board"),
    Kind("board.erased", "A board was deleted for good with everything on it.", "erased the board"),
    Kind("board.work_state_changed", "The agents of a board were paused, stopped or resumed."),
)

GOAL_INCOMPLETE = "A goal board needs an objective and success metrics."


@command("board.create")
async def create_board(actor: Actor, organization_id: UUID, new: BoardCreate) -> Board:
    """Create a board. Raise Invalid for an unknown gateway or group."""
    fields = new.model_dump()
    await _check_links(actor, organization_id, fields["gateway_id"], fields["board_group_id"])
    board = Board(organization_id=organization_id, **fields)
    await _check_deciding(actor, board, new.model_dump(exclude_defaults=True))
    await board.save(force_create=True)
    record("board.created", board, f"Board created: {board.name}.", name=board.name)
    return board


@command("board.update")
async def update_board(actor: Actor, board: Board, change: BoardUpdate) -> Board:
    """Change a board's fields. Setting a field to its current value is a no-op."""
    board, sent = await locked_board(board), change.model_dump(exclude_unset=True)
    await _check_links(actor, board.organization_id, sent.get("gateway_id"), sent.get("board_group_id"))
    changes = {name: value for name, value in sent.items() if getattr(board, name) != value}
    await _check_deciding(actor, board, changes)
    if "call_rules" in changes:
        await _check_holding(board.id, changes["call_rules"] or {})
    before = {name: getattr(board, name) for name in changes}
    board.update_from_dict(changes)
    if sent.get("board_type") == "goal" and not (board.objective and board.success_metrics):
        raise Invalid(GOAL_INCOMPLETE)
    if changes:
        await _save(board, *changes)
        record("board.updated", board, f"Board changed: {board.name}.", before=before, after=changes)
    return board


async def _check_deciding(actor: Actor, board: Board, changes: Mapping[str, Any]) -> None:
    """Raise Forbidden when somebody who is no admin changes who has to say yes: people, or rules in their place.

    Raise Invalid when fewer people can answer on the board, or when one who is to be asked cannot.
    """
    is_admin = actor.administers(board.organization_id)
    if {"approvals_needed", "programs_need_quorum"} & changes.keys() and not is_admin:
        raise Forbidden("Only owners and admins change how many people have to approve.")
    if "call_rules" in changes and not is_admin:
        raise Forbidden("Only owners and admins change the rules for calls: they answer for everybody.")
    if (needed := changes.get("approvals_needed", 1)) > 1 and (number := len(await writers(board))) < needed:
        answerers = "Only one person" if number == 1 else f"Only {number} people"
        raise invalid_field("approvals_needed", f"{answerers} can answer on this board.")
    people = escalation.people if (escalation := escalation_of(changes.get("escalation"))) is not None else []
    if len(await writers_among(board, people)) < len(people):
        raise invalid_field("escalation", "A person who is to be asked cannot answer on this board.")


async def _check_holding(board_id: UUID, rules: Mapping[str, Sequence[str]]) -> None:
    """Raise Invalid for a rule that needs a yes beside a connected program that cannot be held by it."""
    unheld = unheld_programs()
    if not rules.get("must") or not unheld:
        return
    holders = await rows(
        "SELECT DISTINCT c.client FROM connections c JOIN tokens t ON t.connection_id = c.id WHERE c.board_id = ?"
        f" AND c.ended_at IS NULL AND t.expires_at > ? AND c.client IN ({placeholders(len(unheld))})"
        " ORDER BY c.client",
        board_id,
        times.clock_now(),
        *unheld,
    )
    if holders:
        named = " and ".join(program_name(row["client"]) for row in holders)
        raise Invalid(f"{named} cannot be held until somebody says yes. End the connection first.")


async def _save(board: Board, *names: str) -> None:
    board.updated_at = times.clock_now()
    await board.save(update_fields=[*names, "updated_at"])


@command("board.delete")
async def delete_board(actor: Actor, board: Board) -> None:
    board = await locked_board(board)
    board.deleted_at = times.clock_now()
    await _save(board, "deleted_at")
    record("board.deleted", board, f"Board deleted: {board.name}.", name=board.name)
    lookups.recheck_streams()


@command("board.restore")
async def restore_board(actor: Actor, board: Board) -> Board:
    """Restore a board from the trash with everything on it. It is a no-op for a board that is not in the trash."""
    board = await _locked(board)
    if board.deleted_at is not None:
        board.deleted_at = None
        await _save(board, "deleted_at")
        record("board.restored", board, f"Board restored: {board.name}.", name=board.name)
        lookups.recheck_streams()
    return board


async def start_erasure(actor: Actor, board: Board) -> JobRead:
    """Erase a board as a job. It is inaccessible at once."""

    async def take_away(_: UUID) -> None:
        await _take_away(actor, board)

    async def erase() -> JobResult:
        await jobs.step("Deleting what was on it", await staging.number_held(board.id))
        await staging.clear(board.id)
        return JobResult(summary=f"{board.name} was deleted for good with everything on it.")

    return await jobs.start(actor, "board_erasure", f"Erase {board.name}", erase, claim=take_away)


@command("board.erase")
async def _take_away(actor: Actor, board: Board) -> None:
    board = await _locked(board, for_good=True)
    if board.deleted_at is None:
        record("board.deleted", board, f"Board deleted: {board.name}.", name=board.name)
    record("board.erased", board, f"Board deleted for good: {board.name}.", name=board.name)
    await react()
    board.deleted_at = board.absent_since = times.clock_now()
    await board.save(update_fields=["deleted_at", "absent_since"])
    lookups.recheck_streams()


async def _locked(board: Board, *, for_good: bool = False) -> Board:
    """Lock and return the board; with `for_good` also against rows that refer to it, before it is erased."""
    locked = await existing(Board.select_for_update(no_key=not for_good).get_or_none(id=board.id, absent_since=None))
    return locked


async def locked_board(board: Board) -> Board:
    """Lock the board until the running command ends, and return it. Raise NotFound when it has been deleted."""
    locked = await _locked(board)
    if locked.deleted_at is not None:
        raise NotFound()
    return locked


async def next_task_number(board_id: UUID) -> int:
    """Lock the board until the running command ends."""
    numbered = await rows(
        "UPDATE boards SET task_count = task_count + 1 WHERE id = ? AND deleted_at IS NULL RETURNING task_count",
        board_id,
    )
    if not numbered:
        raise NotFound()
    return int(numbered[0]["task_count"])


def slugify(name: str, otherwise: str = "board") -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or otherwise


async def _check_links(actor: Actor, organization_id: UUID, gateway_id: UUID | None, group_id: UUID | None) -> None:
    if gateway_id is not None and not await hold_for_board(organization_id, gateway_id):
        raise Invalid("There is no gateway with this id in the organization.")
    if group_id is not None:
        hold = " FOR KEY SHARE" if is_postgres() else ""
        sql = f"SELECT 1 AS one FROM board_groups WHERE id = ? AND organization_id = ?{hold}"
        if not await rows(sql, group_id, organization_id) or not await _reaches_group(actor, organization_id, group_id):
            raise Invalid("There is no board group with this id in the organization.")


async def _reaches_group(actor: Actor, organization_id: UUID, group_id: UUID) -> bool:
    """An empty group, or one in which they can read a board."""
    membership = actor.memberships.get(organization_id)
    if membership is None or membership.all_boards_read or membership.all_boards_write:
        return True
    boards = await Board.filter(board_group_id=group_id, deleted_at=None)
    return any(actor.reads(board) for board in boards) if boards else actor.administers(organization_id)


ORDERS: dict[str, work_state.State] = {"/pause": work_state.PAUSED, "/resume": work_state.RUNNING}


@command("board.set_work_state")
async def set_board_state(actor: Actor, board: Board, change: WorkStateChange, *, is_notified: bool = False) -> Board:
    """Pause, stop or resume the agents of a board. Setting the current state is a no-op.

    `is_notified`: the agents are notified in another way.
    """
    present = Board.get_or_none(id=board.id, deleted_at=None)
    return await set_work_state(
        "board.work_state_changed", "The board", board.organization_id, present, change, is_told=is_notified
    )


async def apply_order(actor: Actor, board: Board, order: str) -> None:
    """Set a board's state as `/pause` or `/resume` in its chat says. The agents are notified of the message anyway.

    Only people and the board's lead change the state. A pause does not replace a stop, and only people end a stop.
    Raise Forbidden for a person's token that is made for less.
    """
    if not can(actor, "board.set_work_state", board):
        return
    if actor.is_user:
        require_scope(actor, "admin")
    if board.work_state == work_state.STOPPED and (order == "/pause" or not actor.is_user):
        return
    await set_board_state(actor, board, WorkStateChange(state=ORDERS[order]), is_notified=True)


@reacts_to("gateway.deleted")
async def leave_deleted_gateway(actor: Actor, event: NewEvent) -> None:
    """Let boards live on without their gateway, those in the trash too."""
    gateway_id = event.scope.subject_id
    for board in await Board.select_for_update(no_key=True).filter(gateway_id=gateway_id).order_by("id"):
        board.gateway_id = None
        await _save(board, "gateway_id")
        before, after = {"gateway_id": gateway_id}, {"gateway_id": None}
        record("board.updated", board, f"Board changed: {board.name}.", before=before, after=after)
