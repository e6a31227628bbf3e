"""What a board's file holds of the work of agents: runs, sessions with what happened in them, and notes."""

import hashlib
from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from mission_control.core.values import Body, Moment, NonEmptyStr
from mission_control.runs.queries import Code, Evidence
from mission_control.runs.sessions.ends import hashed
from mission_control.runs.sessions.reports import MOST_STEPS, Label, Name, Short, StepGiven

Number = Annotated[int, Field(ge=1, lt=2**31)]
Amount = Annotated[int, Field(ge=0, lt=2**63)]
Email = Annotated[str, Field(max_length=320)]
Runs = Collection[tuple[int | None, int]]  # numbers of tasks with fences


class UsedPart(Body):
    """What work has cost, in tokens and millionths of a US dollar."""

    input_tokens: Amount = 0
    output_tokens: Amount = 0
    cached_tokens: Amount = 0
    written_tokens: Amount = 0
    unpriced_tokens: Amount = 0
    gaps: Amount = 0
    cost_micros: Amount = 0


class RunPart(UsedPart):
    """An attempt at a task. One that went on has ended with the export."""

    fence: Number
    agent_name: NonEmptyStr
    state: Literal["completed", "released", "expired", "superseded"]
    started_at: Moment
    ended_at: Moment
    end_reason: str | None = None
    summary: str | None = None
    checked: str | None = None
    evidence: list[Evidence] = Field(default_factory=list)
    code: Code | None = None


class OfRun(Body):
    """Something that belongs to a task, and to the run of it with that fence."""

    task: Number | None = None
    fence: Number | None = None

    def check_run(self, place: str, tasks: Collection[int], runs: Runs) -> None:
        """Raise ValueError when the task or its run is not in the file."""
        if self.task is not None and self.task not in tasks:
            raise ValueError(f"{place} names the task {self.task}, which is not in the file")
        if self.fence is not None and (self.task, self.fence) not in runs:
            raise ValueError(f"{place} names the fence {self.fence}, which no run of its task has")


class ActivityPart(OfRun):
    """Something that an agent did."""

    seq: Number
    at: Moment
    kind: Annotated[str, Field(max_length=32)]
    title: Annotated[str, Field(max_length=200)]
    state: Literal["ok", "failed", "refused"] | None = None
    ref: Label = None
    detail: dict[str, JsonValue] | None = None


class SessionPart(OfRun, UsedPart):
    """A conversation of an agent's program. One that went on has ended with the export.

    `external_id` is null in a session that was made for its run. `digest` is there when all that it covers is.
    """

    number: Number
    parent: Number | None = None
    agent_name: NonEmptyStr
    client: Annotated[NonEmptyStr, Field(max_length=32)] = "api"
    external_id: Label = None
    client_version: Short = None
    host_label: Label = None
    cwd_label: Label = None
    branch: Label = None
    model: Name = None
    mode: Short = None
    title: Name = None
    started_at: Moment
    last_seen_at: Moment
    ended_at: Moment
    end_reason: str | None = None
    doing: Name = None
    doing_at: Moment | None = None
    failures: Annotated[int, Field(ge=0, lt=2**31)] = 0
    failing: Name = None
    plan: Annotated[list[StepGiven] | None, Field(max_length=MOST_STEPS)] = None
    seq: Annotated[int, Field(ge=0, lt=2**31)] = 0
    digest: Annotated[str, Field(max_length=64)] | None = None
    activities: list[ActivityPart] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.external_id is None and self.fence is None:
            raise ValueError("a session has an external_id or a run")
        seqs = [activity.seq for activity in self.activities]
        if seqs != sorted(set(seqs)) or (seqs and seqs[-1] > self.seq):
            raise ValueError("the activities of a session stand in the order of seq, up to that of the session")
        if self.digest is not None:
            digest = hashlib.sha256()
            for activity in self.activities:
                digest.update(hashed(activity))
            if digest.hexdigest() != self.digest:
                raise ValueError(f"the activities of session {self.number} are not those of its digest")
        return self


class NotePart(OfRun):
    """What a person told an agent about its run or session, and how far it came."""

    session: Number | None = None
    sent_by: Email | None = None
    text: NonEmptyStr
    created_at: Moment
    expires_at: Moment
    offered_at: Moment | None = None
    taken_at: Moment | None = None
    read_at: Moment | None = None
    expired_at: Moment | None = None
