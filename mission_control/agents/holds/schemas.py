"""Shapes of holds."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from mission_control.core.programs import Client, program_name
from mission_control.core.values import ActorRef, BlankToNone, Body, Moment, NonEmptyStr, Schema, example

LONGEST_WAIT_SECONDS = 600
MOST_KEPT = 50

type HoldKind = Literal["window", "overload", "sign_in"]
type HoldAnswer = Literal["continue", "take_over", "stop"]
Why = Annotated[
    HoldKind,
    Field(description="Its subscription's window is closed, its provider is overloaded, or its sign-in ended"),
]
Program = Annotated[str, Field(description="The program of the worker")]
Words = Annotated[str, Field(description="What the program said")]


class KeptRun(Body):
    """A run that the worker has begun, and goes on with later."""

    task_id: UUID
    fence: Annotated[int, Field(ge=1)]


class HoldCreate(Body):
    """Why a worker waits, until when, and what it keeps."""

    model_config = example(
        program="claude-code", host_label="ada-laptop", account="5f0c", kind="window",
        words="You've hit your session limit · resets 9:30am (UTC)", until="2027-01-04T09:30:00Z",
        tasks=[{"task_id": "01a20f89-2bd7-774c-8be4-ab89967d70a3", "fence": 3}],
    )  # fmt: skip

    program: Annotated[Client, Field(description="The program of the worker")]
    host_label: Annotated[NonEmptyStr, Field(max_length=255)]
    account: Annotated[
        str,
        StringConstraints(pattern="^[0-9a-f]{1,64}$"),
        Field(description="A mark of the account: workers of one account on one machine share a hold"),
    ]
    kind: Why
    words: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500), Field(description="What the program said")
    ]
    until: Annotated[Moment, Field(description="When it tries again")]
    tasks: Annotated[
        list[KeptRun], Field(max_length=MOST_KEPT, description="What it has begun: it waits for the same worker")
    ] = []


class KeptTask(Schema):
    """A task that waits for the worker."""

    id: UUID
    number: int
    title: str
    agent_name: Annotated[str, Field(description="Whose it is")]


class HoldingAgent(Schema):
    """An agent whose worker waits."""

    id: UUID
    name: str


class HoldRead(Schema):
    """Workers of one account on one machine that wait, and what people want them to do.

    `continue`: try once, now. `take_over`: what waited for them is in the inbox for others. `stop`: wait until
    `resumes_at`.
    """

    id: UUID
    board_id: UUID
    kind: Why
    program: Program
    host_label: str
    words: Words
    since: datetime
    until: Annotated[datetime, Field(description="When it tries again, unless people say otherwise")]
    answer: HoldAnswer | None
    answered_by: ActorRef | None
    resumes_at: Annotated[datetime | None, Field(description="Until when it waits, as people said")]
    ended_at: datetime | None
    agents: list[HoldingAgent]
    tasks: Annotated[list[KeptTask], Field(description="What waits for it")]
    lost: Annotated[list[UUID], Field(description="Of the tasks that were sent, those that are not the caller's")] = []

    @property
    def ends(self) -> datetime:
        return self.resumes_at or self.until


class HoldWait(Schema):
    """How long to wait for another answer than the one that is known."""

    wait_seconds: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0
    known: Annotated[HoldAnswer | None, BlankToNone, Field(description="The `answer` that you have")] = None


class HoldAnswered(Body):
    """What workers that wait are to do."""

    model_config = Body.model_config | example(answer="stop", resumes_at="2027-01-04T08:00:00Z")

    answer: HoldAnswer
    resumes_at: Annotated[
        Moment | None, Field(description="With `stop`: until when; left out: the next 8 o'clock where you are")
    ] = None

    @model_validator(mode="after")
    def _only_stop_ends(self) -> Self:
        if self.resumes_at is not None and self.answer != "stop":
            raise ValueError("resumes_at goes with stop alone")
        return self


class AgentHold(Schema):
    """Where, why and until when a worker of an agent waits."""

    id: UUID
    kind: HoldKind
    program: Program
    host_label: str
    words: Words
    since: datetime
    until: datetime
    answer: HoldAnswer | None

    @property
    def worker(self) -> str:
        return f"{program_name(self.program, self.program)} on {self.host_label}"

    @classmethod
    def stored(cls, value: object) -> Self | None:
        return None if value is None else cls.model_validate(value)
