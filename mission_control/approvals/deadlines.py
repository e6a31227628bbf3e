"""Until when something should be decided, and what happens otherwise: shapes and checks, for questions too."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Protocol, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from mission_control.accounts.names import person_name
from mission_control.boards.models import Board
from mission_control.core import clock
from mission_control.core.errors import Invalid
from mission_control.core.schemas import Body, Moment, example
from mission_control.database.sql import rows

CHANNEL = "deadlines"  # notified when one was set
SOONEST = timedelta(minutes=1)
AFTER_ALL = "What happens when nobody answers until `decide_by`"
DecideBy = Annotated[Moment | None, Field(description="Until when you need it; at least a minute from now")]
DecideIn = Annotated[
    int | None, Field(ge=60, le=31_536_000, description="In how many seconds you need it; instead of `decide_by`")
]
AskUser = Annotated[UUID | None, Field(description="Whom to ask then, with `otherwise: ask`: a person of the board")]


class HasDeadline(Protocol):
    """An approval or a question."""

    decide_by: Any
    otherwise: Any
    otherwise_user_id: Any
    reminded_at: Any
    asked_user_id: Any


def check(fields: Any) -> None:
    """Complete a deadline. Raise ValueError for parts of it that do not fit together."""
    otherwise = fields.otherwise
    if fields.decide_in is not None:
        if fields.decide_by is not None:
            raise ValueError("send decide_by or decide_in, not both")
        # The second is for the way from here to `put_deadline`, which wants a minute.
        fields.decide_by = clock.now() + timedelta(seconds=fields.decide_in + 1)
    if fields.decide_by is None and (otherwise is not None or fields.otherwise_user_id is not None):
        raise ValueError("`otherwise` needs decide_by or decide_in")
    if (otherwise == "ask") != (fields.otherwise_user_id is not None):
        raise ValueError("`otherwise: ask` and otherwise_user_id go together")


class ApprovalDeadline(Body):
    """Until when a decision is needed, and what happens otherwise."""

    model_config = Body.model_config | example(decide_by="2027-01-04T18:00:00Z", otherwise="send_back")

    decide_by: DecideBy = None
    decide_in: DecideIn = None
    otherwise: Annotated[Literal["remind", "send_back", "ask"], Field(description=AFTER_ALL)] = "remind"
    otherwise_user_id: AskUser = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check(self)
        return self


class DeadlineRead(BaseModel):
    """A deadline as it is read; after it `decide_by` is null, and the last two say what happened."""

    decide_by: Annotated[Moment | None, Field(description="Until when it should be decided")]
    otherwise: Annotated[str | None, Field(description=AFTER_ALL)]
    otherwise_user_id: UUID | None
    reminded_at: Annotated[Moment | None, Field(description="When people were reminded")]
    asked_user_id: Annotated[UUID | None, Field(description="Who was asked because nobody answered")]


COLUMNS = ("decide_by", "otherwise", "otherwise_user_id", "reminded_at", "asked_user_id")


async def put_deadline(thing: HasDeadline, board: Board, fields: Any) -> None:
    """Set a deadline in memory. Raise Invalid when it is too soon, or when the person cannot decide on the board."""
    if fields.decide_by is not None and fields.decide_by < clock.now() + SOONEST:
        raise Invalid("Choose a time at least a minute from now.")
    user_id = fields.otherwise_user_id
    if user_id is not None and await name_of_writer(board, user_id) is None:
        raise Invalid("This person cannot answer on this board.")
    thing.decide_by = fields.decide_by
    thing.otherwise = (fields.otherwise or "remind") if fields.decide_by is not None else None
    thing.otherwise_user_id = user_id


def clear_deadline(thing: HasDeadline) -> None:
    """Take a deadline away, in memory."""
    thing.decide_by = thing.otherwise = thing.otherwise_user_id = None


async def writer_named(board: Board, name: str) -> UUID:
    """Return the person who may answer on a board and has a name. Raise Invalid when nobody has it, or several."""
    found = await rows(
        "SELECT m.user_id FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = ?"
        f" AND LOWER({person_name('u', 'User')}) = LOWER(?) AND (m.all_boards_write OR EXISTS (SELECT 1"
        " FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ? AND x.can_write))",
        board.organization_id,
        name.strip(),
        board.id,
    )
    if not found:
        raise Invalid("Nobody of this name can answer on this board.")
    if len(found) > 1:
        raise Invalid("Several people have this name. Give the person's id.")
    return UUID(str(found[0]["user_id"]))


async def name_of_writer(board: Board, user_id: UUID | None) -> str | None:
    """Return the name of a person who may answer on a board, None for others."""
    found = await rows(
        f"SELECT {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = ? AND m.user_id = ? AND (m.all_boards_write OR EXISTS (SELECT 1"
        " FROM organization_board_access x WHERE x.organization_member_id = m.id AND x.board_id = ? AND x.can_write))",
        board.organization_id,
        user_id,
        board.id,
    )
    return str(found[0]["name"]) if found else None
