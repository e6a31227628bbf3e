"""A group's page as somebody sees it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import GroupSnapshotQuery
from mission_control.live.models import Event
from mission_control.web.asides import AsideView

PAGE, PLACE = "group", "group"
LIMITS = (0, 3, 5, 10)
MANY = 8  # boards; more of them can be searched


@dataclass(frozen=True, slots=True)
class GroupRights:
    """What somebody may do with a group."""

    may_change: bool
    may_pace: bool

    @classmethod
    def of(cls, actor: Actor, group: BoardGroup) -> "GroupRights":
        """Return the rights of somebody on a group."""
        return cls(can(actor, "board_group.update", group), can(actor, "board_group.apply_heartbeat", group))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView(AsideView):
    """A group's page at this moment: which boards it shows, how many tasks of each, and whether done ones too."""

    group: BoardGroup
    rights: GroupRights
    wanted: GroupSnapshotQuery
    text: str = ""

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"/groups/{self.group.id}"

    @property
    def is_searched(self) -> bool:
        """Whether there are so many boards that the page offers to search them."""
        return len(self.group.boards) > MANY or bool(self.text)

    def query(self, **changes: Any) -> str:
        """Return the query of the address, without what stands beside the boards."""
        said = {
            "tasks": self.wanted.per_board_task_limit,
            "done": "1" if self.wanted.include_done else "",
            "q": self.text,
        } | changes
        return f"?{urlencode({name: value for name, value in said.items() if value != ''})}"

    def shows(self, board: Board) -> bool:
        """Whether a text that is searched for stands in a board's name or description."""
        return any(self.text.casefold() in str(part or "").casefold() for part in (board.name, board.description))

    def has_board(self, news: Event | dict[str, object]) -> bool:
        """Whether something happened on a board of the group."""
        board_id = news.board_id if isinstance(news, Event) else news.get("board_id")
        return str(board_id) in {str(board.id) for board in self.group.boards}
