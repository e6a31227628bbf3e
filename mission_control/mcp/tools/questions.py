"""What an agent asks people."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.agents.models import Agent
from mission_control.approvals.live import POLLS as APPROVALS
from mission_control.approvals.queue import reason_of
from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.core.paging import version_of
from mission_control.core.schemas import OkResponse
from mission_control.mcp.adapters import at, home, perform
from mission_control.mcp.people_named import OtherwisePerson, person_asked
from mission_control.mcp.registry import Arguments, Tools, Waits
from mission_control.mcp.shapes import Ref, counted
from mission_control.operations.operation import settled, themselves
from mission_control.questions.reactions import POLLS as QUESTIONS
from mission_control.questions.schemas import MOST_OPTIONS, OptionRead

tools = Tools()
MOST = 100


class Choice(Arguments):
    """An answer that people can choose."""

    label: Annotated[str, Field(min_length=1, max_length=200, description="The answer in a few words")]
    outcome: Annotated[str | None, Field(max_length=1_000, description="What happens when people choose it")] = None
    recommended: Annotated[bool, Field(description="Whether you would choose it; one at most")] = False


class Asked(Arguments):
    """Something that only people know or want to decide."""

    question: Annotated[str, Field(min_length=1, max_length=10_000, description="With what is needed to answer it")]
    options: Annotated[
        list[Choice], Field(max_length=MOST_OPTIONS, description="Answers to choose from; people answer by one key")
    ] = []
    allows_text: Annotated[bool, Field(description="Whether people may answer in their own words as well")] = True
    decide_in: Annotated[int | None, Field(description="In how many seconds you need it, from 60")] = None
    decide_by: Annotated[datetime | None, Field(description="The same as a time with its zone")] = None
    otherwise: Annotated[
        Literal["remind", "ask", "option"] | None,
        Field(description="What happens if nobody answers by then; ask: otherwise_person is asked"),
    ] = None
    otherwise_person: OtherwisePerson = None
    otherwise_option: Annotated[
        int | None, Field(ge=1, le=MOST_OPTIONS, description="The number of the option that is taken then")
    ] = None
    tags: Annotated[list[str], Field(max_length=20, description="Tags under which the answer is remembered")] = []


class QuestionAsked(BaseModel):
    """Your question as people see it."""

    question_id: Annotated[str, Field(description="The notice of the answer names it")]
    content: str
    options: list[OptionRead]
    state: str


@tools.tool("Ask people", Asked, QuestionAsked)
async def ask_people(actor: Actor, asked: Asked) -> tuple[str, Any]:
    """Ask the people of the board a question that blocks your work.

    First recall what is known, and do not ask what is open already (list_asked). Give options where you know the
    possible answers: say what happens with each, and recommend one. For a yes or no about one step use
    request_approval. The answer comes to your inbox, with the option that they chose, and is kept in the board's
    memory; read_inbox with wait_seconds and keep your lease with extend_lease; without it the task waits for you. When
    your work on the task ends, the question closes. Never ask for passwords or other secrets.
    """
    body = {
        "content": asked.question,
        "options": [one.model_dump() for one in asked.options],
        "allows_text": asked.allows_text,
        "decide_by": asked.decide_by,
        "decide_in": asked.decide_in,
        "otherwise": asked.otherwise,
        "otherwise_user_id": await person_asked(actor, asked.otherwise_person),
        "otherwise_option_id": None if asked.otherwise_option is None else str(asked.otherwise_option),
    }
    answer = await perform("ask_question", actor, at(actor), body=body | _tags(asked))
    return "People see your question now.", {**answer, "question_id": str(answer["id"])}


def _tags(asked: Asked) -> dict[str, Any]:
    return {"reply_tags": asked.tags} if asked.tags else {}


class AskedWanted(Waits):
    """How long to wait until something is asked or settled."""


class AskedLine(BaseModel):
    """What was asked of people and is not settled; mine: by you. Questions and approvals name their own kind of id."""

    kind: Literal["question", "approval"]
    id: UUID
    mine: bool
    asked_by: str | None
    text: str
    task_ids: list[UUID] = []
    created_at: datetime


class AskedLines(BaseModel):
    """What the board waits for, the newest first."""

    asked: list[AskedLine]
    version: str


@tools.tool("List what people were asked", AskedWanted, AskedLines, reads=True)
async def list_asked(actor: Actor, asked: AskedWanted) -> tuple[str, Any]:
    """List the questions and approvals of your board that people have not settled yet, the newest first.

    Read it before ask_people and request_approval, so that nothing is asked twice, and when you start anew and no
    longer know what you wait for. wait_for_decision takes the id of an approval; withdraw_question that of a question.
    """
    board_id = home(actor)
    answer = await settled(
        actor,
        actor,
        QUESTIONS.channel_of_list(board_id),
        APPROVALS.channel_of_list(board_id),
        find=themselves,
        read=_waiting,
        is_settled=lambda found: found["version"] != asked.known,
        seconds=asked.wait_seconds,
    )
    return f"Not settled: {counted(len(answer['asked']), 'request')}.", answer


async def _waiting(actor: Actor) -> dict[str, Any]:
    questions = await perform("list_questions", actor, at(actor), query={"state": "open", "limit": MOST})
    approvals = await perform("list_approvals", actor, at(actor), query={"status": "pending", "limit": MOST})
    lines = [_question_line(actor, one) for one in questions["items"]]
    names = {one.id: one.name for one in await Agent.filter(board_id=home(actor)).only("id", "name")}
    lines += [_approval_line(actor, one, names) for one in approvals["items"]]
    lines.sort(key=lambda one: str(one["created_at"]), reverse=True)
    return {"asked": lines, "version": version_of(len(lines), (one["id"] for one in lines))}


def _question_line(actor: Actor, read: Any) -> dict[str, Any]:
    return {
        "kind": "question",
        "id": read["id"],
        "mine": str(read["agent_id"]) == str(actor.agent_id),
        "asked_by": read["agent_name"],
        "text": read["content"],
        "created_at": read["created_at"],
    }


def _approval_line(actor: Actor, read: Any, names: dict[UUID, str]) -> dict[str, Any]:
    agent_id = parse_id(read["agent_id"])
    by_person = (read["requested_by"] or {}).get("name")
    return {
        "kind": "approval",
        "id": read["id"],
        "mine": agent_id == actor.agent_id,
        "asked_by": names.get(agent_id) if agent_id else by_person,
        "text": f"{read['action_type']}: {reason_of(read['payload'])}",
        "task_ids": read["task_ids"],
        "created_at": read["created_at"],
    }


class QuestionId(Arguments):
    """Which question."""

    question_id: Ref


@tools.tool("Withdraw a question", QuestionId, OkResponse, repeats=True)
async def withdraw_question(actor: Actor, asked: QuestionId) -> tuple[str, Any]:
    """Withdraw a question that nobody answered, when you found the answer or no longer need it.

    Yours; a lead's also those of others. 409: somebody answered it already; the answer is in your inbox.
    """
    await perform("withdraw_question", actor, at(actor, question_id=asked.question_id))
    return "Withdrawn.", OkResponse()
