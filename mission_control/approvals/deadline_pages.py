"""Set until when an approval is to be decided, on its page."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.accounts.names import person_name
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.database.sql import rows
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import Fields, Form, done

pages = Blueprint("approval_deadline_pages", __name__)
PATH = "/boards/<uuid:board_id>/approvals/<uuid:approval_id>/deadline"
# Hours from now: without JavaScript a page does not know the time zone of its reader.
HOURS = {"1": "in an hour", "4": "in 4 hours", "24": "in a day", "72": "in 3 days", "168": "in a week"}
OTHERWISE = {"remind": "remind everybody", "send_back": "send it back", "ask": "ask somebody else"}


class DeadlineForm(Form):
    """How many hours are left, and what happens otherwise."""

    hours: Literal["1", "4", "24", "72", "168"]
    otherwise: Literal["remind", "send_back", "ask"] = "remind"
    person: UUID | None = None

    def body(self, found: Approval) -> Fields:
        """Return the deadline; a person counts only where somebody is asked."""
        asked = self.person if self.otherwise == "ask" else None
        decide_by = clock.now() + timedelta(hours=int(self.hours))
        return {"decide_by": decide_by, "otherwise": self.otherwise, "otherwise_user_id": asked}


async def people_of(board: Board) -> list[tuple[UUID, str]]:
    """Return the people who may decide on a board, by name."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND (m.all_boards_write OR EXISTS (SELECT 1 FROM organization_board_access x"
        " WHERE x.organization_member_id = m.id AND x.board_id = ? AND x.can_write)) ORDER BY name, u.id LIMIT 200",
        board.organization_id,
        board.id,
    )
    return [(UUID(str(row["id"])), row["name"]) for row in found]


@action(pages, "POST", PATH, performs="set_approval_deadline", form=DeadlineForm)
async def set_deadline(outcome: Outcome[Approval, DeadlineForm]) -> ResponseReturnValue:
    """Set the deadline of an approval."""
    return done(_page_of(outcome.found), toast="The deadline is set.")


@action(pages, "POST", f"{PATH}/removal", performs="remove_approval_deadline")
async def remove_deadline(outcome: Outcome[Approval, None]) -> ResponseReturnValue:
    """Remove the deadline of an approval."""
    return done(_page_of(outcome.found), toast="It waits without a deadline.")


def _page_of(approval: Approval) -> str:
    return f"/boards/{approval.board_id}/approvals/{approval.id}"
