"""What the API says of an absence."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mission_control.core.values import Moment, Schema

type OddKind = Literal["no_result", "check_failed", "returned", "stopped", "paused"]


class AbsenceQuery(Schema):
    """Of which time; left out, of the last absence."""

    since: Annotated[Moment | None, Field(description="From this moment on; with `until`, another time")] = None
    until: Annotated[Moment | None, Field(description="Up to this moment")] = None


class OddLine(Schema):
    """Something that somebody should look at."""

    kind: Annotated[OddKind, Field(description="What is odd about it")]
    name: Annotated[str, Field(description="Which agent, worker or task it is about")]
    text: Annotated[str, Field(description="What happened, as it follows the name")]
    at: Annotated[datetime, Field(description="When it happened")]
    board_id: Annotated[UUID, Field(description="The board on which it happened")]
    task_id: Annotated[UUID | None, Field(description="The task; null for a worker that waited")]


class AbsenceReport(Schema):
    """What happened in a time on the boards that the caller reads."""

    since: Annotated[datetime, Field(description="The last sign of the person before the absence")]
    until: Annotated[datetime, Field(description="The return")]
    done: Annotated[int, Field(description="How many tasks came to be done, and still are")]
    pull_requests: Annotated[int, Field(description="How many pull or merge requests were handed in or merged")]
    merged: Annotated[int, Field(description="How many of those are merged")]
    waiting: Annotated[int, Field(description="How many needs wait for the person now")]
    paused_seconds: Annotated[int, Field(description="How long workers waited, summed over them")]
    workers_paused: Annotated[int, Field(description="How many workers waited")]
    cost_usd: Annotated[float, Field(description="What it cost in US dollars, as far as it is known")]
    unpriced_tokens: Annotated[int, Field(description="Tokens without a price: the cost is at least so much")]
    gaps: Annotated[int, Field(description="How many requests to models may be missing in the cost")]
    odd: Annotated[list[OddLine], Field(description="What somebody should look at, newest last")]
