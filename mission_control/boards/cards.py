"""Read models of the board page: cards by column, who is there, and what the filter offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.boards.priorities import canonical, spellings
from mission_control.boards.statuses import STATUSES
from mission_control.boards.task_search import matching
from mission_control.core import clock, times
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.database.sql import as_moment, placeholders, rows

CARDS_PER_COLUMN = 50
OFFLINE_AFTER = timedelta(minutes=10)
PERSON = person_name("u", "User")


@dataclass(frozen=True, slots=True)
class CardFilter:
    """What the address of the board page asks for."""

    text: str = ""
    assignee: str = ""
    priority: str = ""
    blocked: bool = False
    approval: bool = False
    whole: tuple[str, ...] = ()

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "CardFilter":
        """Read an address; what is not understood is left out."""
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
        """The address's query, with a leading `?` when there is any."""
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
        """The filter as SQL on `t`, `d` and `l`."""
        sql, values = "", list[Any]()
        if self.text:
            for condition, words in matching(self.text):
                sql, values = f"{sql} AND {condition}", [*values, *words]
        sql, values = self._of_assignee(sql, values, viewer_id)
        if self.priority:
            words = spellings(self.priority)
            sql, values = f"{sql} AND LOWER(t.priority) IN ({placeholders(len(words))})", [*values, *words]
        if self.blocked:
            sql += " AND t.status <> 'done' AND d.open_ones > 0"
        if self.approval:
            sql += " AND l.pending_id IS NOT NULL"
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


@dataclass(slots=True)
class Column:
    """One column: the arguments of its cards, and how many tasks it holds in all."""

    status: str
    total: int = 0
    cards: list[dict[str, Any]] = field(default_factory=list)


async def columns_of(board: Board, wanted: CardFilter, viewer_id: UUID | None) -> list[Column]:
    """The four columns with their first cards by position, in two statements."""
    narrowed, values = wanted.conditions(viewer_id)
    unlimited = f" OR status IN ({placeholders(len(wanted.whole))})" if wanted.whole else ""
    found = await rows(
        f"WITH matching AS ({_CARDS}{narrowed}) SELECT * FROM matching WHERE place <= {CARDS_PER_COLUMN}{unlimited}"
        " ORDER BY status, place",
        *[board.id] * 4,
        *values,
        *wanted.whole,
    )
    columns = {status: Column(status) for status in STATUSES}
    now, tags = clock.now(), await _tags_of(board)
    for row in found:
        column = columns[row["status"]]
        column.total = int(row["total"])
        column.cards.append(_card(board, row, now) | {"tags": tags.get(str(row["id"]), [])})
    return list(columns.values())


async def _tags_of(board: Board) -> dict[str, list[tuple[str, str]]]:
    """Name and colour of the tags of each task, in the order in which they were given."""
    by_task: dict[str, list[tuple[str, str]]] = {}
    for row in await rows(
        "SELECT a.task_id, g.name, g.color FROM tag_assignments a JOIN tags g ON g.id = a.tag_id"
        " JOIN tasks t ON t.id = a.task_id WHERE t.board_id = ? ORDER BY a.created_at, a.id",
        board.id,
    ):
        by_task.setdefault(str(row["task_id"]), []).append((row["name"], f"#{row['color']}"))
    return by_task


_CARDS = (
    "SELECT t.id, t.number, t.title, t.status, t.priority, t.due_at, t.in_progress_at, t.flagged_at, t.flag_reason,"
    " r.lease_expires_at, w.name AS worker_name,"
    f" g.name AS agent_name, g.last_seen_at, CASE WHEN u.id IS NULL THEN NULL ELSE {PERSON} END AS person_name,"
    " COALESCE(c.n, 0) AS comments, COALESCE(d.n, 0) AS dependencies, COALESCE(d.open_ones, 0) AS blockers,"
    " COALESCE(l.n, 0) AS approvals, l.pending_id,"
    " ROW_NUMBER() OVER (PARTITION BY t.status ORDER BY t.position, t.created_at DESC) AS place,"
    " COUNT(*) OVER (PARTITION BY t.status) AS total"
    " FROM tasks t LEFT JOIN agents g ON g.id = t.assigned_agent_id LEFT JOIN users u ON u.id = t.assigned_user_id"
    " LEFT JOIN agents w ON w.id = t.review_agent_id AND t.status IN ('review', 'done')"
    " LEFT JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL"
    " LEFT JOIN (SELECT m.task_id, COUNT(*) AS n FROM task_comments m JOIN tasks s ON s.id = m.task_id"
    "  WHERE s.board_id = ? AND m.deleted_at IS NULL GROUP BY m.task_id) c ON c.task_id = t.id"
    " LEFT JOIN (SELECT e.task_id, COUNT(*) AS n, SUM(CASE WHEN p.status <> 'done' THEN 1 ELSE 0 END) AS open_ones"
    "  FROM task_dependencies e JOIN tasks p ON p.id = e.depends_on_task_id"
    "  WHERE e.board_id = ? AND p.deleted_at IS NULL GROUP BY e.task_id) d ON d.task_id = t.id"
    " LEFT JOIN (SELECT k.task_id, COUNT(*) AS n,"
    "  MIN(CASE WHEN k.is_pending THEN CAST(k.approval_id AS TEXT) END) AS pending_id"
    "  FROM approval_task_links k JOIN tasks s ON s.id = k.task_id WHERE s.board_id = ? GROUP BY k.task_id)"
    "  l ON l.task_id = t.id"
    " WHERE t.board_id = ? AND t.deleted_at IS NULL AND t.archived_at IS NULL"
)


def _card(board: Board, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return the row as the values of the card's template."""
    name = row["agent_name"] or row["person_name"]
    return {
        "task_id": row["id"],
        "board_id": board.id,
        "number": row["number"],
        "title": row["title"],
        "status": row["status"],
        "priority": canonical(row["priority"]),
        "badge": _badge(row, now),
        "assignee": {"name": name, "kind": "agent" if row["agent_name"] else "person"} if name else None,
        "done_by": row["worker_name"] if row["worker_name"] != name else None,
        "comments": int(row["comments"]),
        "dependencies": int(row["dependencies"]),
        "approvals": int(row["approvals"]),
        "approval_id": row["pending_id"],
        "lease_until": as_moment(row["lease_expires_at"]),
        "flag": row["flag_reason"] or "No reason was given." if row["flagged_at"] else "",
    }


def _badge(row: dict[str, Any], now: datetime) -> dict[str, str] | None:
    """The one badge that changes what somebody does next, if any."""
    if row["flagged_at"]:
        return {"label": "Needs a person", "tone": "ask", "icon": "flag"}
    if row["pending_id"]:
        return {"label": "Needs approval", "tone": "ask", "icon": "hand"}
    if row["status"] == "done":
        return None
    if int(row["blockers"]):
        return {"label": "Blocked", "tone": "bad", "icon": "circle-alert"}
    due = as_moment(row["due_at"])
    if due is not None and due < now:
        return {"label": "Overdue", "tone": "bad", "icon": "clock"}
    if due is not None and due.date() == now.date():
        return {"label": "Due today", "tone": "warn", "icon": "clock"}
    since = as_moment(row["in_progress_at"])
    if row["status"] == "in_progress" and since is not None and is_online(row["last_seen_at"], now):
        return {"label": f"Working {times.elapsed(since, now)}", "tone": "run", "icon": "loader-circle"}
    return None


def is_online(last_seen_at: Any, now: datetime) -> bool:
    """Whether an agent was seen within the last ten minutes."""
    moment = as_moment(last_seen_at)
    return moment is not None and now - moment < OFFLINE_AFTER


async def crew_of(board: Board) -> list[dict[str, Any]]:
    """The agents of a board by name, whether they are online, and the task each works on."""
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
    """The people who reach a board, by name."""
    return await rows(
        f"SELECT u.id, {PERSON} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_read OR m.all_boards_write OR EXISTS"
        " (SELECT 1 FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ?"
        f" AND (x.can_read OR x.can_write))) ORDER BY LOWER({PERSON}), u.id",
        board.organization_id,
        board.id,
    )


async def board_rows(actor: Actor) -> list[dict[str, Any]]:
    """The actor's boards by name with counts per column, waiting approvals and agents online, in one statement."""
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
