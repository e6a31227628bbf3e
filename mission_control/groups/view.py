"""A group's page as somebody sees it."""

from dataclasses import dataclass

from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.groups.models import BoardGroup
from mission_control.groups.schemas import GroupSnapshotQuery
from mission_control.live.models import Event
from mission_control.web.asides import AsideView

PAGE, PLACE = "group", "group"
LIMITS = (0, 3, 5, 10)


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
    """A group's page at this moment: how many tasks of each board it shows, and whether done ones are among them."""

    group: BoardGroup
    rights: GroupRights
    wanted: GroupSnapshotQuery

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"/groups/{self.group.id}"

    def has_board(self, news: Event | dict[str, object]) -> bool:
        """Whether something happened on a board of the group."""
        board_id = news.board_id if isinstance(news, Event) else news.get("board_id")
        return str(board_id) in {str(board.id) for board in self.group.boards}
