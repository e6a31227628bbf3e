"""People whom agents name: by the name that they read, or by an id."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from mission_control.asks.deadlines import writer_named
from mission_control.boards.models import Board
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.mcp.adapters import home

OtherwisePerson = Annotated[
    str | None,
    Field(max_length=200, description="Whom to ask then, with otherwise=ask: a person's name as you read it, or an id"),
]


async def person_asked(actor: Actor, name: str | None) -> UUID | None:
    """Return the person that a tool was given. Raise Invalid when nobody of that name can answer on the board."""
    if name is None:
        return None
    return parse_id(name) or await writer_named(await Board.get(id=home(actor)), name)
