"""Home as somebody sees it: what the address asks for, and everything that the page reads."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from quart import request

from mission_control.asks.finding import Counted, Filter, count, find_keys, said
from mission_control.asks.kinds import Include, Key
from mission_control.boards.queries import (
    OFFLINE_AFTER,
    board_rows,
    boards_of,
    on_readable_boards,
    online_sql,
    who_can_share,
)
from mission_control.core import times
from mission_control.core.actor import Actor, can
from mission_control.core.times import iso
from mission_control.database.sql import Row, rows, select
from mission_control.home import listing
from mission_control.home.listing import MOST_LISTED, Listed, Versions, listed
from mission_control.knowledge import metrics_pages
from mission_control.knowledge.dashboard import overview
from mission_control.knowledge.metrics_schemas import RangeKey
from mission_control.web.regions import View

MOST_AGENTS = 40
OPEN = ("inbox", "in_progress", "review")


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent and the task it works on; without a task it has nothing to do."""

    agent_id: UUID
    agent_name: str
    board_name: str | None
    last_seen_at: datetime | None
    is_online: bool
    gateway_away_at: datetime | None
    board_id: UUID | None = None
    task_id: UUID | None = None
    number: int | None = None
    title: str | None = None
    started_at: datetime | None = None
    steps: int = 0
    steps_done: int = 0

    @property
    def url(self) -> str:
        """Where its work is, or the agent itself."""
        if self.task_id is None:
            return f"/agents/{self.agent_id}"
        return f"/boards/{self.board_id}/tasks/{self.task_id}"

    @property
    def silent_for(self) -> timedelta | None:
        """Since when it has given no sign, when that is long for somebody at work."""
        if self.task_id is None or self.last_seen_at is None or self.is_online:
            return None
        return times.clock_now() - self.last_seen_at


async def at_work(actor: Actor) -> list[AtWork]:
    """Return the agents on the actor's boards: those at work with their tasks, then the others that are online."""
    readable, values = on_readable_boards(actor, actor.organization_id, "a.board_id")
    return await select(
        AtWork,
        "SELECT a.id AS agent_id, a.name AS agent_name, b.name AS board_name, a.last_seen_at,"
        f" {online_sql('a')} AS is_online, a.gateway_away_at, t.board_id,"
        " t.id AS task_id, t.number, t.title, r.started_at,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id) AS steps,"
        " (SELECT COUNT(*) FROM task_checklist_items i WHERE i.task_id = t.id AND i.is_done) AS steps_done"
        " FROM agents a LEFT JOIN boards b ON b.id = a.board_id"
        " LEFT JOIN task_runs r ON r.agent_id = a.id AND r.state = 'running'"
        " LEFT JOIN tasks t ON t.id = r.task_id AND t.deleted_at IS NULL"
        f" WHERE a.organization_id = ? AND b.deleted_at IS NULL{readable} AND (t.id IS NOT NULL OR {online_sql('a')})"
        " ORDER BY CASE WHEN t.id IS NULL THEN 1 ELSE 0 END, LOWER(a.name), a.id LIMIT ?",
        seen := times.clock_now() - OFFLINE_AFTER,
        actor.organization_id,
        *values,
        seen,
        MOST_AGENTS,
    )


@dataclass(frozen=True, slots=True)
class BoardLine:
    """The open work of a board, as parts of the widest board's, and how much of it waits for the reader."""

    id: UUID
    name: str
    parts: tuple[tuple[int, float, float], ...]
    open: int
    waiting: int

    @property
    def in_words(self) -> str:
        numbers = [number for number, _, _ in self.parts]
        return "{} in the inbox, {} in progress, {} in review".format(*numbers)


async def board_lines(actor: Actor, waiting: dict[UUID, int]) -> list[BoardLine]:
    """Return the actor's boards on one scale; `waiting` has the needs by board."""
    found = await board_rows(actor)
    most = max((sum(int(row[status]) for status in OPEN) for row in found), default=0) or 1
    return [_line(row, most, waiting) for row in found]


def _line(row: Row, most: int, waiting: dict[UUID, int]) -> BoardLine:
    board_id, parts, left = UUID(str(row["id"])), [], 0.0
    for status in OPEN:
        width = 100 * int(row[status]) / most
        parts.append((int(row[status]), round(left, 1), round(max(0.0, width - 1.2), 1)))
        left += width
    total = sum(number for number, _, _ in parts)
    return BoardLine(board_id, row["name"], tuple(parts), total, waiting.get(board_id, 0))


DENSE_FROM = 12


@dataclass(frozen=True, slots=True)
class HomeAddress:
    """What the address asks for: which needs, how many, whether old ones are unfolded, how tight, the charts' range."""

    opened: datetime
    include: Include = "waiting"
    everything: bool = False
    older: bool = False
    layout: str = ""
    peek: str = ""
    range_key: RangeKey = metrics_pages.DEFAULT
    state: str = ""

    @classmethod
    def of_request(cls) -> "HomeAddress":
        args = request.args
        layout = args.get("view", "")
        return cls(
            opened=times.parse_since(args.get("opened")) or times.clock_now(),
            include="snoozed" if args.get("show") == "snoozed" else "waiting",
            everything=args.get("all") == "1",
            older=args.get("older") == "1",
            layout=layout if layout in ("dense", "roomy") else "",
            peek=args.get("peek", "")[:100],
            range_key=metrics_pages.range_named(args.get("range")),
            state=args.get("state", "")[:16],
        )

    def query(self, **changes: str) -> dict[str, str]:
        """Return the address's query as it is with changes; usual values are left out."""
        now = {
            "show": "snoozed" if self.include == "snoozed" else "",
            "all": "1" if self.everything else "",
            "older": "1" if self.older else "",
            "view": self.layout,
            "range": "" if self.range_key == metrics_pages.DEFAULT else self.range_key,
        }
        return {name: value for name, value in (now | changes).items() if value}

    def url(self, **changes: str) -> str:
        """Return the page's address with changes."""
        query = urlencode(self.query(**changes))
        return f"/?{query}" if query else "/"

    def live(self, after: int, layout: str, state: str) -> str:
        """Return the address of the page's stream; `state` names the rows that the page has."""
        more = {"opened": iso(self.opened), "after": after, "state": state}
        return f"/home/live?{urlencode({**self.query(view=layout), **more})}"


def _by_board(keys: list[Key]) -> dict[UUID, int]:
    return Counter(key.board_id for key in keys if key.board_id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView(View):
    """Home as somebody sees it at this moment."""

    address: HomeAddress
    sent: Versions = field(default_factory=dict)  # of an open page: its rows, empty if unknown

    async def listed(self) -> Listed:
        address = self.address
        wanted = address.include, address.everything, address.opened
        return await self.reads.get(("home", self.actor.id, *wanted), lambda: listed(self.actor, *wanted))

    async def counted(self) -> Counted:
        return await self.reads.get(("home-counted", self.actor.id), lambda: count(self.actor))

    async def at_work(self) -> list[AtWork]:
        return await self.reads.get(("at-work", self.reach), lambda: at_work(self.actor))

    @property
    def reach(self) -> tuple[Any, ...]:
        """What decides which boards are seen."""
        whole, single = self.actor.readable_boards()
        return self.actor.organization_id, self.actor.organization_id in whole, tuple(sorted(map(str, single)))

    async def boards(self) -> list[BoardLine]:
        """Return the open work by board."""
        return await board_lines(self.actor, _by_board(await find_keys(self.actor, Filter(), MOST_LISTED)))

    async def charts(self) -> list[metrics_pages.Chart]:
        return metrics_pages.charts_of(*await overview(self.actor, self.address.range_key), self.actor.id)

    async def calm(self) -> Row:
        """Return what an empty page says: the first steps, or what happened last and what comes later."""
        actor = self.actor
        boards = await boards_of(actor)
        keys = await find_keys(actor, Filter(include="snoozed"), 5)
        return {
            "boards": boards,
            "may_create": can(actor, "board.create", actor.organization_id),
            "may_hire": can(actor, "agent.manage"),
            "may_answer": any(actor.writes(board) for board in boards),
            "has_agents": bool(
                await rows("SELECT 1 FROM agents WHERE organization_id = ? LIMIT 1", actor.organization_id)
            ),
            "helpers": [] if boards else await who_can_share(actor),
            "is_alone": actor.administers(actor.organization_id) and await _is_alone(actor),
            "last": await listing.last_answered(actor),
            "agents": await self.at_work(),
            "snoozed": await said(actor, keys),
            "due": await _due(actor),
        }


async def _is_alone(actor: Actor) -> bool:
    found = await rows(
        "SELECT 1 FROM organization_members WHERE organization_id = ? UNION ALL"
        " SELECT 1 FROM organization_invites WHERE organization_id = ? AND accepted_at IS NULL LIMIT 2",
        actor.organization_id,
        actor.organization_id,
    )
    return len(found) < 2


async def _due(actor: Actor) -> list[Row]:
    """Return the reader's own tasks that are due next."""
    return await rows(
        "SELECT t.id, t.number, t.title, t.due_at, t.board_id, b.name AS board_name FROM tasks t"
        " JOIN boards b ON b.id = t.board_id WHERE b.organization_id = ? AND b.deleted_at IS NULL"
        " AND t.deleted_at IS NULL AND t.status <> 'done' AND t.assigned_user_id = ? AND t.due_at >= ?"
        " ORDER BY t.due_at, t.id LIMIT 5",
        actor.organization_id,
        actor.id,
        times.clock_now(),
    )
