"""The filter of a feed, as it stands in an address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from mission_control.core.ids import parse_id

FILTERS = {
    "tasks": ("Tasks", "e.kind LIKE 'task.%' AND e.kind <> 'task.comment'"),
    "comments": ("Comments", "e.kind = 'task.comment'"),
    "approvals": ("Approvals", "e.kind LIKE 'approval.%'"),
    "agents": ("Agents", "e.kind LIKE 'agent.%'"),
    "boards": ("Boards", "e.kind LIKE 'board.%'"),
    "questions": ("Questions", "e.kind LIKE 'question.%'"),
    "memory": ("Chat and memory", "(e.kind LIKE 'memory.%' OR e.kind LIKE 'group_memory.%')"),
    "webhooks": ("Webhooks", "e.kind LIKE 'webhook.%'"),
}


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """The filter in a feed's address."""

    board_id: UUID | None = None
    kind: str = ""
    actor: str = ""
    before: int | None = None
    after: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    @classmethod
    def of(cls, args: Mapping[str, str], board_id: UUID | None = None) -> "FeedFilter":
        """Parse an address; unknown parts are ignored."""
        kind, _, name = args.get("actor", "").partition(":")
        known = kind == "system" or (kind in ("agent", "user") and parse_id(name) is not None)
        return cls(
            board_id=board_id or parse_id(args.get("board", "")),
            kind=args.get("kind", "") if args.get("kind") in FILTERS else "",
            actor=args.get("actor", "") if known else "",
            before=number_in(args.get("before")),
            first_day=_day(args.get("from")),
            last_day=_day(args.get("to")),
        )

    def query(self, *, with_board: bool, **more: Any) -> str:
        """Return the query string, with a leading `?` if not empty."""
        board = str(self.board_id) if with_board and self.board_id else ""
        days = {"from": str(self.first_day or ""), "to": str(self.last_day or "")}
        values = {"board": board, "kind": self.kind, "actor": self.actor, **days, **more}
        kept = {name: value for name, value in values.items() if value not in ("", None)}
        return f"?{urlencode(kept, safe=':')}" if kept else ""

    @property
    def narrows(self) -> bool:
        """Return whether the filter can hide lines."""
        return bool(self.kind or self.actor or self.first_day or self.last_day)


def number_in(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None
    except ValueError:
        return None
