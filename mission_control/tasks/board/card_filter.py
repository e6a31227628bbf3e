"""The query of a board's page in its address, with how the tasks are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from werkzeug.datastructures import MultiDict

from mission_control.boards.statuses import STATUSES
from mission_control.boards.views import LONGEST_NAME, LONGEST_QUERY, MOST_COLUMNS
from mission_control.core import times
from mission_control.core.values import parse_id
from mission_control.tasks.query import STILL, Word, conditions, quoted, words_of

BOARD, TABLE = "board", "table"
STANDS_STILL = f"is:{STILL}"
OPEN = "is:open"  # what a table shows unless its address says more


@dataclass(frozen=True, slots=True)
class CardFilter:
    """The query of a board's page and how its tasks are shown.

    A table whose address says nothing else shows open tasks, so a table of all of them says `q=`.
    """

    text: str = ""
    whole: tuple[str, ...] = ()
    view: str = BOARD
    sort: str = ""
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> "CardFilter":
        is_table = args.get("view") == TABLE
        before = _before_queries(args)
        is_bare = is_table and not before and not any(name in args for name in ("q", "sort", "columns", "all"))
        typed = " ".join([*args.getlist("q"), *before] if not is_bare else [OPEN]).replace("\0", "")
        return cls(
            text=" ".join(typed.split())[:LONGEST_QUERY],
            whole=tuple(sorted({name for name in args.get("all", "").split(",") if name in (*STATUSES, TABLE)})),
            view=TABLE if is_table else BOARD,
            sort=args.get("sort", "").replace("\0", "").strip()[:LONGEST_NAME],
            columns=tuple(
                column[:LONGEST_NAME]
                for column in ",".join(args.getlist("columns")).replace("\0", "").split(",")
                if column
            )[:MOST_COLUMNS],
        )

    @property
    def narrows(self) -> bool:
        return bool(self.text)

    @property
    def is_table(self) -> bool:
        return self.view == TABLE

    @property
    def asks_who_looks(self) -> bool:
        return any(word.key == "assignee" and "me" in map(str.lower, word.values) for word in self.words())

    @property
    def looks_at_signs(self) -> bool:
        return any(word.key == "silent" or (word.key == "is" and STILL in word.values) for word in self.words())

    @property
    def searches_text(self) -> bool:
        return not all(word.is_known for word in self.words())

    def words(self) -> tuple[Word, ...]:
        return words_of(self.text, times.clock_now())

    def query(self, **changes: str) -> str:
        values = {
            "view": self.view if self.is_table else "",
            "q": self.text,
            "sort": self.sort,
            "columns": ",".join(self.columns),
            "all": ",".join(self.whole),
        }
        merged = values | changes
        sent = {name: value for name, value in merged.items() if value or (name == "q" and merged["view"])}
        return f"?{urlencode(sent, safe=':,')}" if sent else ""

    def address(self, **changes: str) -> str:
        """Return the query of an address that never means the view with which the board opens."""
        return self.query(**changes) or "?q="

    def switched(self, view: str) -> str:
        """Each of board and table knows what it shows at first."""
        if view == self.view:
            return self.address()
        if view == TABLE:
            return self.address(view=TABLE, q=self.text or OPEN)
        return self.address(view="", q="" if self.text == OPEN else self.text)

    async def conditions(self, viewer_id: UUID | None) -> tuple[str, list[object]]:
        return await conditions(self.text, viewer_id)


def _before_queries(args: Mapping[str, str]) -> list[str]:
    """Translate addresses from before there were queries."""
    kind, _, name = args.get("assignee", "").partition(":")
    is_valid = kind in ("me", "none") or (kind in ("agent", "user") and parse_id(name) is not None)
    words = [
        f"assignee:{args['assignee']}" if is_valid else "",
        f"priority:{quoted(args['priority'][:64])}" if args.get("priority", "").strip() else "",
        "is:blocked" if args.get("blocked") else "",
        "needs:approval" if args.get("approval") else "",
    ]
    return [word for word in words if word]
