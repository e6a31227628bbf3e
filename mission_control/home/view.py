"""Home as somebody sees it: what the address asks for, and everything that the page reads."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from quart import request

from mission_control.boards.queries import boards_of, who_can_share
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.core.times import iso
from mission_control.database.sql import rows
from mission_control.home import answered, aside
from mission_control.home.listed import MOST, Listed, Versions, listed
from mission_control.metrics import figures
from mission_control.metrics.dashboard import overview
from mission_control.metrics.schemas import RangeKey
from mission_control.needs.finding import Counted, Filter, count, find_keys
from mission_control.needs.kinds import Include, Key
from mission_control.needs.listing import said
from mission_control.web.regions import View

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
    range_key: RangeKey = figures.DEFAULT
    state: str = ""

    @classmethod
    def of_request(cls) -> "HomeAddress":
        """Read the address of the request."""
        args = request.args
        layout = args.get("view", "")
        return cls(
            opened=clock.parse_since(args.get("opened")) or clock.now(),
            include="snoozed" if args.get("show") == "snoozed" else "waiting",
            everything=args.get("all") == "1",
            older=args.get("older") == "1",
            layout=layout if layout in ("dense", "roomy") else "",
            peek=args.get("peek", "")[:100],
            range_key=figures.range_named(args.get("range")),
            state=args.get("state", "")[:16],
        )

    def query(self, **changes: str) -> dict[str, str]:
        """Return the address's query as it is with changes; usual values are left out."""
        now = {
            "show": "snoozed" if self.include == "snoozed" else "",
            "all": "1" if self.everything else "",
            "older": "1" if self.older else "",
            "view": self.layout,
            "range": "" if self.range_key == figures.DEFAULT else self.range_key,
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
        """Return the list."""
        address = self.address
        wanted = address.include, address.everything, address.opened
        return await self.reads.get(("home", self.actor.id, *wanted), lambda: listed(self.actor, *wanted))

    async def counted(self) -> Counted:
        """Return how many wait."""
        return await self.reads.get(("home-counted", self.actor.id), lambda: count(self.actor))

    async def at_work(self) -> list[aside.AtWork]:
        """Return the agents."""
        return await self.reads.get(("at-work", self.reach), lambda: aside.at_work(self.actor))

    @property
    def reach(self) -> tuple[Any, ...]:
        """What decides which boards are seen."""
        whole, single = self.actor.readable_boards()
        return self.actor.organization_id, self.actor.organization_id in whole, tuple(sorted(map(str, single)))

    async def boards(self) -> list[aside.BoardLine]:
        """Return the open work by board."""
        return await aside.board_lines(self.actor, _by_board(await find_keys(self.actor, Filter(), MOST)))

    async def charts(self) -> list[figures.Chart]:
        """Return the four charts."""
        found = await overview(self.actor, self.address.range_key)
        return figures.charts_of(found, self.actor.id)

    async def calm(self) -> dict[str, Any]:
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
            "last": await answered.last_answered(actor),
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


async def _due(actor: Actor) -> list[dict[str, Any]]:
    """Return the reader's own tasks that are due next."""
    return await rows(
        "SELECT t.id, t.number, t.title, t.due_at, t.board_id, b.name AS board_name FROM tasks t"
        " JOIN boards b ON b.id = t.board_id WHERE b.organization_id = ? AND b.deleted_at IS NULL"
        " AND t.deleted_at IS NULL AND t.status <> 'done' AND t.assigned_user_id = ? AND t.due_at >= ?"
        " ORDER BY t.due_at, t.id LIMIT 5",
        actor.organization_id,
        actor.id,
        clock.now(),
    )
