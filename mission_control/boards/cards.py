"""Read models of the board page: its filter, who is there, and what the filter offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical, spellings
from mission_control.boards.statuses import STATUSES
from mission_control.boards.task_search import matching
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_moment, placeholders, rows

OFFLINE_AFTER = timedelta(minutes=10)
BLOCKER = (
    "SELECT 1 FROM task_dependencies d JOIN tasks p ON p.id = d.depends_on_task_id"
    " WHERE d.task_id = t.id AND p.deleted_at IS NULL AND p.status <> 'done'"
)
PENDING = "SELECT 1 FROM approval_task_links l WHERE l.task_id = t.id AND l.is_pending"
PERSON = person_name("u", "User")


@dataclass(frozen=True, slots=True)
class CardFilter:
    """The filter of a board page, as its address says."""

    text: str = ""
    assignee: str = ""
    priority: str = ""
    blocked: bool = False
    approval: bool = False
    whole: tuple[str, ...] = ()

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "CardFilter":
        """Read an address; unknown values are ignored."""
        kind, _, name = args.get("assignee", "").partition(":")
        known = kind in ("me", "none") or (kind in ("agent", "user") and parse_id(name) is not None)
        return cls(
            text=args.get("q", "").strip()[:200],
            assignee=args.get("assignee", "") if known else "",
            priority=canonical(args.get("priority", "")[:64]),
            blocked=bool(args.get("blocked")),
            approval=bool(args.get("approval")),
            whole=tuple(sorted({one for one in args.get("all", "").split(",") if one in STATUSES})),
        )

    @property
    def narrows(self) -> bool:
        """Whether some tasks may be hidden."""
        return bool(self.text or self.assignee or self.priority or self.blocked or self.approval)

    def query(self, **changes: str) -> str:
        """Return the query of the address, with a leading `?` unless it is empty."""
        values = {
            "q": self.text,
            "assignee": self.assignee,
            "priority": self.priority,
            "blocked": "1" if self.blocked else "",
            "approval": "1" if self.approval else "",
            "all": ",".join(self.whole),
        }
        kept = {name: value for name, value in (values | changes).items() if value}
        return f"?{urlencode(kept, safe=':,')}" if kept else ""

    def conditions(self, viewer_id: UUID | None) -> tuple[str, list[Any]]:
        """Return the filter as SQL on `tasks t`, with its values."""
        sql, values = "", list[Any]()
        if self.text:
            for condition, words in matching(self.text):
                sql, values = f"{sql} AND {condition}", [*values, *words]
        sql, values = self._of_assignee(sql, values, viewer_id)
        if self.priority:
            words = spellings(self.priority)
            sql, values = f"{sql} AND LOWER(t.priority) IN ({placeholders(len(words))})", [*values, *words]
        if self.blocked:
            sql += f" AND t.status <> 'done' AND EXISTS ({BLOCKER})"
        if self.approval:
            sql += f" AND EXISTS ({PENDING})"
        return sql, values

    def _of_assignee(self, sql: str, values: list[Any], viewer_id: UUID | None) -> tuple[str, list[Any]]:
        kind, _, name = self.assignee.partition(":")
        if kind == "none":
            return sql + " AND t.assigned_agent_id IS NULL AND t.assigned_user_id IS NULL", values
        if kind == "agent":
            return sql + " AND t.assigned_agent_id = ?", [*values, parse_id(name)]
        if kind in ("user", "me"):
            return sql + " AND t.assigned_user_id = ?", [*values, viewer_id if kind == "me" else parse_id(name)]
        return sql, values


def is_online(last_seen_at: Any, now: datetime) -> bool:
    """Return whether an agent was seen within the last ten minutes."""
    moment = as_moment(last_seen_at)
    return moment is not None and now - moment < OFFLINE_AFTER


async def crew_of(board: Board) -> list[dict[str, Any]]:
    """Return the agents of a board by name, whether they are online, and the task each works on."""
    now = clock.now()
    crew: dict[str, dict[str, Any]] = {}
    for row in await rows(
        "SELECT g.id, g.name, g.is_board_lead, g.last_seen_at, t.id AS task_id, t.number, t.title"
        " FROM agents g LEFT JOIN tasks t ON t.assigned_agent_id = g.id AND t.board_id = g.board_id"
        " AND t.status = 'in_progress' AND t.deleted_at IS NULL WHERE g.board_id = ?"
        " ORDER BY LOWER(g.name), g.id, t.in_progress_at DESC",
        board.id,
    ):
        if str(row["id"]) not in crew:
            crew[str(row["id"])] = {**row, "is_online": is_online(row["last_seen_at"], now)}
    return list(crew.values())


async def people_of(board: Board) -> list[dict[str, Any]]:
    """Return the people who reach a board, by name."""
    return await rows(
        f"SELECT u.id, {PERSON} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_read OR m.all_boards_write OR EXISTS"
        " (SELECT 1 FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ?"
        f" AND (x.can_read OR x.can_write))) ORDER BY LOWER({PERSON}), u.id",
        board.organization_id,
        board.id,
    )


async def board_rows(actor: Actor) -> list[dict[str, Any]]:
    """Return the boards of an actor with counts per column, pending approvals and agents online, in one statement."""
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
    return await rows(
        f"SELECT b.id, b.name, b.description, b.updated_at, {counts},"
        " (SELECT COUNT(*) FROM approvals a WHERE a.board_id = b.id AND a.status = 'pending') AS pending,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id) AS agents,"
        " (SELECT COUNT(*) FROM agents g WHERE g.board_id = b.id AND g.last_seen_at > ?) AS online"
        f" FROM boards b WHERE b.organization_id = ? AND b.deleted_at IS NULL{reach}"
        " ORDER BY LOWER(b.name), b.id LIMIT 200",
        clock.now() - OFFLINE_AFTER,
        actor.organization_id,
        *([] if everything else single),
    )
