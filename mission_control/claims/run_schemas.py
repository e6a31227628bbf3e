"""Shapes of runs, and of the hand-off that completes one."""

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AnyUrl, BaseModel, Field, StringConstraints, UrlConstraints

from mission_control.approvals.schemas import ApprovalRead
from mission_control.claims.schemas import Fence
from mission_control.core.schemas import Body, NonEmptyStr, example
from mission_control.tasks.schemas import TaskRead
from mission_control.tasks.waiting import WaitingReason
from mission_control.usage.schemas import UsageFigures

LONGEST_URL = 2000
MOST_EVIDENCE, MOST_ARTIFACTS = 50, 20


def _fits(url: AnyUrl) -> AnyUrl:
    """An address is longer written out: with its last slash and everything escaped."""
    if len(str(url)) > LONGEST_URL:
        raise ValueError(f"written out, an address has at most {LONGEST_URL} characters")
    return url


def _is_base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("the content is not base64") from None
    return text


WebUrl = Annotated[
    AnyUrl, UrlConstraints(max_length=LONGEST_URL, allowed_schemes=["http", "https"]), AfterValidator(_fits)
]
Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class Evidence(Body):
    """A link to something that shows what was done."""

    title: Title | None = None
    url: WebUrl


class EvidenceRead(BaseModel):
    """A link to something that shows what was done."""

    title: str | None
    url: str


class ArtifactCreate(Body):
    """A small file that the work made."""

    name: NonEmptyStr
    content_base64: Annotated[str, AfterValidator(_is_base64)]
    content_type: str = Field(default="", max_length=255)


class CompletionCreate(UsageFigures):
    """What a worker hands in: what it did, what shows it, and what it used up."""

    model_config = example(
        fence=3,
        summary="The login works on Safari again; the cookie had no SameSite.",
        evidence=[{"title": "CI", "url": "https://ci.example.org/214"}],
        input_tokens=5200,
        output_tokens=800,
        cost_usd=0.04,
    )

    fence: Fence
    summary: Annotated[NonEmptyStr, Field(max_length=100_000)]
    status: Annotated[
        Literal["review", "done"] | None,
        Field(
            description="Where the task goes. Left out: review when the board requires a review or has a lead; else"
            " done. Where the board requires an approval that was not given, it waits in review and people are asked"
        ),
    ] = None
    confidence: Annotated[
        float | None,
        Field(ge=0, le=100, description="How sure you are that it is finished, in percent; people see it"),
    ] = None
    evidence: list[Evidence] = Field(default_factory=list, max_length=MOST_EVIDENCE)
    artifacts: list[ArtifactCreate] = Field(default_factory=list, max_length=MOST_ARTIFACTS)


class ArtifactRead(BaseModel):
    """A file that a run handed in; it is one of the task's attachments."""

    id: UUID
    name: str
    size: int
    content_type: str


class RunRead(BaseModel):
    """One agent's attempt at a task, from assignment to end."""

    id: UUID
    task_id: UUID
    board_id: UUID
    agent_id: UUID | None
    agent_name: str
    fence: int
    state: Literal["running", "completed", "released", "expired", "superseded"]
    started_at: datetime
    lease_expires_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    summary: str | None
    evidence: list[EvidenceRead]
    artifacts: list[ArtifactRead]
    input_tokens: int
    output_tokens: int
    cost_usd: float


class AgentRunRead(RunRead):
    """An attempt as the page of its agent shows it."""

    task_number: int
    task_title: str


class CompletionRead(BaseModel):
    """A task that was handed in, the run that ended with it, and the approval that it waits for, if any."""

    task: TaskRead
    run: RunRead
    approval: Annotated[ApprovalRead | None, Field(description="What people have to decide before it is done")]


class TaskWaitingRead(BaseModel):
    """What a task waits for; nothing when it is done."""

    task_id: UUID
    reasons: list[WaitingReason]
