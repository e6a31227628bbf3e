"""Everything that waits for a person, of whatever kind, and its answers by name."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.asks.schemas import Need, Outcome
from mission_control.core.actor import Actor
from mission_control.mcp.adapters import perform
from mission_control.mcp.registry import Arguments, Tools, Waits
from mission_control.mcp.shapes import counted

tools = Tools()


class NeedsWanted(Waits):
    """Which needs to list."""

    board_id: Annotated[UUID | None, Field(description="Only of this board")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class AnswerLine(BaseModel):
    """An answer: its name, what happens with it, and whether it takes the person's words."""

    id: str
    effect: str
    note: Literal["none", "optional", "required"]
    note_label: str


class NeedLine(BaseModel):
    """What is asked and why, what can be answered, and what happens without an answer."""

    id: str
    kind: str
    title: str
    reason: str | None
    board_name: str | None
    since: datetime
    substance: Annotated[str, Field(description="Mark of what is decided; send it with the answer")]
    answers: list[AnswerLine]
    otherwise: str


class Needs(BaseModel):
    """What waits for the person, the oldest first in its group, and how much there is in all."""

    needs: list[NeedLine]
    total: int
    version: str


@tools.tool("List what needs the person", NeedsWanted, Needs, audience="people", reads=True)
async def list_needs(actor: Actor, asked: NeedsWanted) -> tuple[str, Any]:
    """List everything that waits for the person: approvals, questions, reviews, failed tasks, budgets, late tasks.

    Each names its answers; give one with answer_need. Show the person what is asked and why, and let them choose.
    """
    page = await perform("list_needs", actor, query=asked.model_dump(exclude_none=True))
    return f"{counted(page.total, 'thing')} waiting.", {
        "needs": [_line(one) for one in page.items],
        "total": page.total,
        "version": page.version,
    }


def _line(need: Need) -> dict[str, Any]:
    fields = {"id", "kind", "title", "reason", "since", "substance"}
    answers = [
        one.model_dump(include=set(AnswerLine.model_fields)) for one in need.answers if one.operation is not None
    ]
    board = need.board.name if need.board is not None else None
    return {
        **need.model_dump(include=fields),
        "board_name": board,
        "answers": answers,
        "otherwise": need.otherwise.text,
    }


class Given(Arguments):
    """The answer that the person chose."""

    need_id: Annotated[str, Field(max_length=80, description="Its id, such as approval:<uuid>")]
    answer: Annotated[str, Field(max_length=80, description="The id of one of its answers, such as approve")]
    note: Annotated[str | None, Field(max_length=20_000, description="The person's words, where it takes some")] = None
    substance: Annotated[
        str | None, Field(description="As you showed it to the person; 409 need_changed: show it again")
    ] = None


class Result(BaseModel):
    """What became of it."""

    id: str
    title: str | None
    outcome: Outcome


@tools.tool("Answer a need", Given, Result, audience="people")
async def answer_need(actor: Actor, asked: Given) -> tuple[str, Any]:
    """Give one of the answers of something that waits for the person. Only when the person said so.

    The first answer counts. 409 need_ended: somebody was faster. 409 need_changed: it is no longer what you showed.
    """
    body = asked.model_dump(exclude={"need_id"}, exclude_none=True)
    result = await perform("answer_need", actor, {"need_id": asked.need_id}, body=body)
    return "Answered.", result.model_dump(include=set(Result.model_fields))
