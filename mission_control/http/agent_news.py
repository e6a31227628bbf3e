"""What is new for an agent rides on the answers to its calls, as member `news` of JSON objects.

Whether anything waits is read with the credential (`lookups.py`), so that an answer without news costs no statement.
The agent's next call shows that what rode has arrived. `runs/notes/agent_news.py` says what the news are.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from quart import Response, g
from quart.wrappers.response import DataBody, IterableBody

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.extensions import Hook
from mission_control.core.values import JsonObject, Schema, parse_id, to_json
from mission_control.http.lookups import noticed_since
from mission_control.http.response_cache import Answer

_log = logging.getLogger(__name__)


class NewsItem(Schema):
    """A notice in one line. `seq` is its number in the inbox, which has all of it for a day."""

    seq: int
    kind: Annotated[str, Field(description="A word for programs, as in the inbox")]
    task_id: UUID | None
    text: str


class News(Schema):
    """What is new for an agent, newest first, in at most a kilobyte; its next call acknowledges it."""

    items: list[NewsItem]
    more: Annotated[int, Field(description="How many did not fit; they are in the inbox")]
    directive: Annotated[Literal["pause", "stop"] | None, Field(description="What to do now; left out: go on")] = None
    directive_reason: Annotated[str | None, Field(description="Why")] = None
    directive_task_id: Annotated[UUID | None, Field(description="The task whose run ends; null: all work")] = None


@dataclass(slots=True)
class AgentCall:
    """A call of an agent: when it began, by two clocks, and the task that it names, by its id.

    A repeated one may not have got what rode on its answer.
    """

    actor: Actor
    began: datetime
    moment: float
    task_id: UUID | None = None
    is_repeated: bool = False
    has_taken: bool = False

    @classmethod
    def of(cls, actor: Actor, began: "Began", *named: object) -> "AgentCall":
        """Return a call by what names it: `named` are the sources of its arguments, in which there may be a task."""
        ids = (parse_id(source.get("task_id")) for source in named if isinstance(source, Mapping))
        return cls(actor, *began, task_id=next(filter(None, ids), None))

    @property
    def has_new(self) -> bool:
        return "new" in self.actor.news or noticed_since(self.actor.agent_id, self.moment)

    @property
    def takes(self) -> bool:
        """Whether it shows that what rode on an answer before has arrived."""
        return "offered" in self.actor.news and not (self.is_repeated or self.has_taken)

    @property
    def is_quiet(self) -> bool:
        return not self.actor.news and not self.has_new


type Began = tuple[datetime, float]


def now() -> Began:
    return times.clock_now(), time.monotonic()


# Return the news for a call, None when there are none; `carries`: they ride on its answer.
news_for = Hook[Callable[[AgentCall, bool], Awaitable[JsonObject | None]]](is_single=True)


async def news_of(call: AgentCall, *, carries: bool = True) -> JsonObject | None:
    """Return what rides on the answer to a call, which is given whatever goes wrong here."""
    actor = call.actor
    if news_for.function is None or call.is_quiet or not (actor.scopes is None or "work" in actor.scopes):
        return None
    try:
        return await news_for.function(call, carries)
    except Exception:
        _log.exception("reading the news of an agent failed")
        return None


def begin(actor: Actor, began: Began, *named: object) -> None:
    g.agent_call = AgentCall.of(actor, began, *named)


def is_repeated() -> None:
    if (call := running()) is not None:
        call.is_repeated = True


def must_carry() -> bool:
    """Return whether the running request has to be answered in full, for the news that ride on it."""
    return (call := running()) is not None and call.has_new


def running() -> AgentCall | None:
    call: AgentCall | None = g.get("agent_call")
    return call


def in_a_line(news: JsonObject) -> str:
    now = f"{news['directive'].capitalize()}: {news['directive_reason']} " if "directive" in news else ""
    more = f" · {news['more']:,} more in your inbox" if news["more"] else ""
    return f"News. {now}{' · '.join(item['text'] for item in news['items'])}{more}"


async def with_news(call: AgentCall | None, body: bytes) -> bytes:
    news = None if call is None else await news_of(call)
    return body if news is None else spliced(body, news)


async def carry(response: Response) -> None:
    """Put the news into the answer to the running request, if it is an agent's and its answer a JSON object."""
    if (call := running()) is None or call.is_quiet:
        return
    answer: Answer | None = vars(response).get("answer")
    body = response.response
    first = answer.pieces[0] if answer is not None else body.data if isinstance(body, DataBody) else b""
    is_object = response.mimetype == "application/json" and first[:1] == b"{"
    if (news := await news_of(call, carries=is_object)) is None:
        return
    vars(response).pop("answer", None)  # what is kept, and gzipped, is without them
    if isinstance(body, DataBody):
        response.set_data(spliced(body.data, news))
    elif isinstance(body, IterableBody):
        begun = spliced(first, news)
        response.response = IterableBody(_begun_by(begun, len(first), body))
        response.headers["Content-Length"] = str(int(response.headers["Content-Length"]) - len(first) + len(begun))


def spliced(body: bytes, news: JsonObject) -> bytes:
    rest = body[1:]
    return b'{"news":' + to_json(news) + (b"" if rest[:1] == b"}" else b",") + rest


async def _begun_by(begun: bytes, skipped: int, pieces: IterableBody) -> AsyncIterator[bytes]:
    yield begun
    async with pieces as rest:
        async for piece in rest:
            yield piece[skipped:]
            skipped = max(0, skipped - len(piece))
