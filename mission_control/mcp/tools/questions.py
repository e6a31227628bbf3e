"""What an agent asks people."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from mission_control.core.actor import Actor
from mission_control.mcp.adapters import at, perform
from mission_control.mcp.registry import Arguments, Tools
from mission_control.questions.schemas import MOST_OPTIONS, OptionRead

tools = Tools()


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
    decide_by: Annotated[datetime | None, Field(description="Until when you need it; with a time zone")] = None
    otherwise: Annotated[
        Literal["remind", "option"] | None, Field(description="What happens if nobody answers until decide_by")
    ] = None
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

    First recall what is known, and do not ask what is open already. Give options where you know the possible answers:
    say what happens with each, and recommend one. For a yes or no about one step use request_approval. The answer
    comes to your inbox, with the option that they chose, and is kept in the board's memory; read_inbox with
    wait_seconds, keep your lease with extend_lease, or release the task. Never ask for passwords or other secrets.
    """
    body = {
        "content": asked.question,
        "options": [one.model_dump() for one in asked.options],
        "allows_text": asked.allows_text,
        "decide_by": asked.decide_by,
        "otherwise": asked.otherwise,
        "otherwise_option_id": None if asked.otherwise_option is None else str(asked.otherwise_option),
    }
    answer = await perform("agent_question_ask", actor, at(actor), body=body | _tags(asked))
    return "People see your question now.", {**answer, "question_id": str(answer["id"])}


def _tags(asked: Asked) -> dict[str, Any]:
    return {"reply_tags": asked.tags} if asked.tags else {}
