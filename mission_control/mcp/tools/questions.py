"""What a lead asks people."""

from typing import Annotated, Any

from pydantic import Field

from mission_control.core.actor import Actor
from mission_control.mcp.doors import at, perform
from mission_control.mcp.registry import Arguments, tool
from mission_control.questions.schemas import GatewayMainAskUserResponse


class Asked(Arguments):
    """Something that only people know or want to decide."""

    question: Annotated[str, Field(min_length=1, max_length=10_000, description="With what is needed to answer it")]
    tags: Annotated[list[str], Field(max_length=20, description="Tags under which the answer is remembered")] = []


@tool("Ask people", Asked, GatewayMainAskUserResponse, role="lead")
async def ask_people(actor: Actor, asked: Asked) -> tuple[str, Any]:
    """Ask the people of the board something without which work cannot go on. For leads.

    First recall what is known, and do not ask what is open already. For a yes or no about one step use
    request_approval. The answer comes to your inbox and is kept in the board's memory; read_inbox with wait_seconds.
    """
    body = {"content": asked.question} | ({"reply_tags": asked.tags} if asked.tags else {})
    return "People see your question now.", await perform("human_escalation", actor, at(actor), body=body)
