"""Read boards."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from tortoise.expressions import Q, RawSQL
from tortoise.models import Model
from tortoise.queryset import QuerySet

from mission_control.boards.models import Board
from mission_control.boards.parking import IS_PARKED
from mission_control.boards.schemas import BoardQuery
from mission_control.boards.statuses import STATUSES
from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound, existing
from mission_control.core.values import Paging
from mission_control.database.records import find, find_all, find_both
from mission_control.database.sql import Row, as_moment, placeholders, rows
from mission_control.events import broker
from mission_control.events.shared_reads import Shared
from mission_control.http.registry import lookup
from mission_control.people.accounts.names import person_name

SILENT_AFTER = timedelta(minutes=15)  # without a sign an agent is offline, and what it holds is silent
STUCK_AT = 4  # times that the same error came in a row
# SQL for the id of the session in which a run `r` is seen: of several that are open the one with the newest sign.
SEEN_IN = (
    "(SELECT x.id FROM agent_sessions x WHERE x.run_id = r.id AND x.parent_id IS NULL AND x.ended_at IS NULL"
    " ORDER BY x.last_seen_at DESC, x.id LIMIT 1)"
)
# What `is_at_work` needs of an agent `g`.
SIGNS = "g.last_seen_at, g.gateway_id AS agent_gateway_id, g.run_began_at"


def online_sql(agent: str) -> str:
    """Return the condition that an agent is online. Its one value is the moment before which calls are too old.

    An agent of a gateway is online once it has called for the first time, as long as its gateway is connected.
    """
    return (
        f"({agent}.last_seen_at IS NOT NULL AND (({agent}.gateway_id IS NULL AND {agent}.last_seen_at > ?)"
        f" OR ({agent}.gateway_id IS NOT NULL AND {agent}.gateway_away_at IS NULL"
        f" AND {agent}.status <> 'offline' AND {agent}.status <> 'error')))"
    )


def is_recent(last_seen_at: object, now: datetime) -> bool:
    moment = as_moment(last_seen_at)
    return moment is not None and now - moment < SILENT_AFTER


def is_at_work(last_seen_at: object, gateway_id: UUID | None, run_began_at: object, now: datetime) -> bool:
    return is_recent(last_seen_at, now) if gateway_id is None else run_began_at is not None


def shortly(title: str) -> str:
    """Follow the agent's name: `ran pytest`."""
    return title[:1].lower() + title[1:].replace("`", "") if title[1:2].islower() else title.replace("`", "")


@lookup
async def visible_board(actor: Actor, board_id: UUID) -> Board:
    board = await find(Board, "id = ? AND deleted_at IS NULL", board_id)
    if board is None or not board.is_visible_to(actor):
        raise NotFound()
    return board


async def on_visible_board[M: Model](model: type[M], actor: Actor, board_id: UUID, row_id: UUID) -> M:
    there = "t.id = ? AND t.board_id = ? AND p.deleted_at IS NULL"
    row: Any
    row, board = await existing(find_both(model, Board, "board_id", there, row_id, board_id))
    if not board.is_visible_to(actor):
        raise NotFound()
    row.board = board
    return cast(M, row)


async def visible_board_here(actor: Actor, board_id: UUID) -> Board:
    board = await visible_board(actor, board_id)
    if board.organization_id != actor.organization_id:
        raise NotFound()
    return board


def on_readable_boards(actor: Actor, organization_id: UUID, column: str) -> tuple[str, list[UUID]]:
    whole, single = actor.readable_boards()
    if organization_id in whole:
        return "", []
    there = f" OR {column} IN ({placeholders(len(single))})" if single else ""
    return f" AND ({column} IS NULL{there})", single


async def deletable_board(actor: Actor, board_id: UUID) -> Board:
    """Administrators find a board in the trash too."""
    board = await _reached(actor).get_or_none(id=board_id)
    if board is None or (board.deleted_at is not None and not actor.administers(board.organization_id)):
        raise NotFound()
    return board


def _reached(actor: Actor) -> QuerySet[Board]:
    whole, single = actor.readable_boards()
    return Board.filter(Q(organization_id__in=whole) | Q(id__in=single), absent_since=None)


async def deleted_boards(actor: Actor, paging: Paging) -> tuple[list[Board], int]:
    boards = _reached(actor).filter(organization_id=actor.organization_id).exclude(deleted_at=None)
    ordered = boards.order_by("-deleted_at", "id").limit(paging.limit).offset(paging.offset)
    return await ordered, await boards.count()


async def still_exists(board: Board) -> bool:
    return await present(board) is not None


async def present(board: Board) -> Board | None:
    """None in the trash. One read at each number of the log serves all streams."""
    key = (board.id, broker.known_head(board.organization_id))
    return await _present.get(key, lambda: find(Board, "id = ? AND deleted_at IS NULL", board.id))


_present: Shared[Board | None] = Shared(1.0)


async def list_boards(actor: Actor, query: BoardQuery) -> tuple[list[Board], int]:
    boards = Board.visible_to(actor).filter(organization_id=actor.organization_id)
    if query.gateway_id is not None:
        boards = boards.filter(gateway_id=query.gateway_id)
    if query.board_group_id is not None:
        boards = boards.filter(board_group_id=query.board_group_id)
    ordered = boards.annotate(sort_name=RawSQL("LOWER(name)")).order_by("sort_name", "-created_at", "id")
    return await ordered.limit(query.limit).offset(query.offset), await boards.count()


async def boards_of(actor: Actor) -> list[Board]:
    return (await list_boards(actor, BoardQuery(limit=200, offset=0)))[0]


async def boards_with(board_ids: Sequence[UUID]) -> dict[UUID, Board]:
    if not board_ids:
        return {}
    return {board.id: board for board in await find_all(Board, f"id IN ({placeholders(len(board_ids))})", *board_ids)}


async def who_can_share(actor: Actor) -> list[str]:
    """Two people at most, owners first."""
    people = await rows(
        f"SELECT {person_name('u', 'An owner')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND m.role <> 'member' ORDER BY m.role DESC, m.created_at, m.id LIMIT 2",
        actor.organization_id,
    )
    return [row["name"] for row in people]


PERSON = person_name("u", "User")


async def crew_of(board: Board) -> list[Row]:
    agents = await rows(
        f"SELECT g.id, g.name, g.is_board_lead, {online_sql('g')} AS is_online, t.id AS task_id, t.number, t.title"
        " FROM agents g LEFT JOIN tasks t ON t.assigned_agent_id = g.id AND t.board_id = g.board_id"
        f" AND t.status = 'in_progress' AND t.deleted_at IS NULL AND NOT {IS_PARKED} WHERE g.board_id = ?"
        " ORDER BY LOWER(g.name), g.id, t.in_progress_at DESC",
        times.clock_now() - SILENT_AFTER,
        board.id,
    )
    # Of an agent with several tasks the one that it began last, which comes first.
    crew = {str(row["id"]): {**row, "is_online": bool(row["is_online"])} for row in reversed(agents)}
    return list(reversed(crew.values()))


async def people_of(board: Board) -> list[Row]:
    return await rows(
        f"SELECT u.id, {PERSON} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_read OR m.all_boards_write OR EXISTS"
        " (SELECT 1 FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ?"
        f" AND (x.can_read OR x.can_write))) ORDER BY LOWER({PERSON}), u.id",
        board.organization_id,
        board.id,
    )


async def board_rows(actor: Actor) -> list[Row]:
    """`changed_at` is the last change of the board or a task of it. One statement reads all of it."""
    whole, single = actor.readable_boards()
    everything = actor.organization_id in whole
    if not everything and not single:
        return []
    reach = "" if everything else f" AND b.id IN ({placeholders(len(single))})"
    counts = ", ".join(
        f"(SELECT COUNT(*) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NULL AND t.archived_at IS NULL"
        f" AND t.status = '{status}')"
        f" AS {status}"
        for status in STATUSES
    )
    boards = await rows(
        f"SELECT b.id, b.name, b.description, b.updated_at, b.board_group_id, p.name AS group_name, {counts},"
        " (SELECT MAX(t.updated_at) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NULL) AS tasks_updated_at,"
        " (SELECT MAX(t.deleted_at) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NOT NULL) AS emptied_at,"
        " (SELECT COUNT(*) FROM approvals a WHERE a.board_id = b.id AND a.resolved_at IS NULL) AS pending,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id) AS agents,"
        f" (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id AND {online_sql('g')}) AS online"
        " FROM boards b LEFT JOIN board_groups p ON p.id = b.board_group_id"
        f" WHERE b.organization_id = ? AND b.deleted_at IS NULL{reach}"
        " ORDER BY LOWER(b.name), b.id LIMIT 200",
        times.clock_now() - SILENT_AFTER,
        actor.organization_id,
        *([] if everything else single),
    )
    for row in boards:
        moments = map(as_moment, (row["updated_at"], row["tasks_updated_at"], row["emptied_at"]))
        row["changed_at"] = max(filter(None, moments))
    return boards


async def group_choices(actor: Actor, organization_id: UUID) -> list[tuple[UUID, str]]:
    """Groups in which they read a board, or all."""
    condition, values = "organization_id = ?", [organization_id]
    whole, single = actor.readable_boards()
    if organization_id not in whole:
        if not single:
            return []
        boards = f"SELECT board_group_id FROM boards WHERE deleted_at IS NULL AND id IN ({placeholders(len(single))})"
        condition, values = f"{condition} AND id IN ({boards})", [*values, *single]
    groups = await rows(
        f"SELECT id, name FROM board_groups WHERE {condition} ORDER BY LOWER(name), id LIMIT 200", *values
    )
    return [(row["id"], row["name"]) for row in groups]


NEWEST = 1000  # tasks whose tags are named


def number_of_tasks(board: str) -> str:
    """Archived ones are among them: an index counts either part."""
    here = f"SELECT COUNT(*) FROM tasks t WHERE t.board_id = {board} AND t.deleted_at IS NULL AND t.archived_at IS"
    return f"(({here} NULL) + ({here} NOT NULL))"


async def figures_of(board: Board) -> Row:
    [counts] = await rows(
        "SELECT (SELECT COUNT(*) FROM board_webhooks w WHERE w.board_id = ?) AS webhooks,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = ?) AS agents,"
        f" {number_of_tasks('?')} AS tasks,"
        " (SELECT MAX(d.label) FROM reach_devices d WHERE d.board_id = ? AND d.ended_at IS NULL) AS team",
        *[board.id] * 5,
    )
    fields = await rows(
        "SELECT d.label, d.field_key FROM board_task_custom_fields b"
        " JOIN task_custom_field_definitions d ON d.id = b.field_id"
        " WHERE b.board_id = ? ORDER BY LOWER(d.field_key) LIMIT 50",
        board.id,
    )
    tags = await rows(
        "SELECT DISTINCT g.name, LOWER(g.name) AS sort_name FROM tag_assignments a JOIN tags g ON g.id = a.tag_id"
        " WHERE a.task_id IN (SELECT t.id FROM tasks t WHERE t.board_id = ? AND t.deleted_at IS NULL"
        f" AND t.archived_at IS NULL ORDER BY t.created_at DESC LIMIT {NEWEST}) ORDER BY sort_name LIMIT 50",
        board.id,
    )
    return {
        **counts,
        "fields": [row["label"] or row["field_key"] for row in fields],
        "tags": [row["name"] for row in tags],
    }
