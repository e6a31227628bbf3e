"""Shapes of approvals."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from mission_control.approvals.payloads import asks_to_finish, reason_of
from mission_control.boards.attempts import LeaseLostDetail
from mission_control.boards.parking import ParkAsked
from mission_control.core.errors import ErrorCode
from mission_control.core.substance import Seen, Substance
from mission_control.core.values import Body, JsonObject, NewsPaging, NotNull, Schema, SentBack, example, parse_id
from mission_control.needs.deadlines import AFTER_ALL, DeadlineAsked, DeadlineRead

ApprovalStatus = Literal["pending", "approved", "rejected"]
Decision = Annotated[Literal["approved", "rejected", "changes_requested"], SentBack]
RejectedTask = Literal["inbox", "mine", "trash"]
Then = Annotated[
    RejectedTask,
    Field(
        description="What becomes of a task whose handed-in work is rejected: back to the inbox as nobody's, yours, or"
        " to the trash"
    ),
]
CONFIDENCE = "How sure the asker is, in percent; 0 with `payload.confidence` null where nobody said so"


class ApprovalWanted(Schema):
    """What is asked, without the deadline, which stands last."""

    action_type: str
    task_id: UUID | None = None
    task_ids: list[UUID] = Field(default_factory=list)
    payload: JsonObject | None = None
    confidence: Annotated[float | None, Field(ge=0, le=100)] = None
    rubric_scores: dict[str, int] | None = None
    status: ApprovalStatus = "pending"
    agent_id: UUID | None = None
    lead_reasoning: str | None = None


class ApprovalCreate(ParkAsked, DeadlineAsked, ApprovalWanted):
    """A decision that is asked for."""

    model_config = example(
        action_type="task.finish",
        task_id="01a20f89-2bd7-774c-8be4-ab89967d70a3",
        confidence=90,
        lead_reasoning="The tests are green, and nothing else was asked for.",
    )

    otherwise: Annotated[Literal["remind", "send_back", "ask"] | None, Field(description=AFTER_ALL)] = None

    @field_validator("action_type")
    @classmethod
    def _one_spelling(cls, action_type: str) -> str:
        return action_type.strip().lower() if asks_to_finish(action_type) else action_type

    @model_validator(mode="after")
    def _has_reason(self) -> Self:
        if not reason_of(self.payload):
            if not (self.lead_reasoning and self.lead_reasoning.strip()):
                raise ValueError("an approval needs a reason: send lead_reasoning or payload.reason")
            self.payload = {**(self.payload or {}), "reason": self.lead_reasoning.strip()}
        if self.confidence is None:
            self.payload = {**(self.payload or {}), "confidence": None}
        return self

    def all_task_ids(self) -> list[UUID]:
        """Every task the request names, in the order of precedence, each once."""
        payload = self.payload or {}
        named: list[Any] = [self.task_id, *self.task_ids]
        for key in ("task_ids", "taskIds", "taskIDs"):
            named += payload[key] if isinstance(payload.get(key), list) else []
        named += [payload.get(key) for key in ("task_id", "taskId", "taskID")]
        task_ids = (parse_id(value) for value in named if isinstance(value, str | UUID))
        return list(dict.fromkeys(task_id for task_id in task_ids if task_id is not None))


class ApprovalUpdate(Schema):
    """A decision, or the re-opening of one."""

    model_config = example(status="approved", note="Go ahead.")

    status: Annotated[ApprovalStatus | None, NotNull] = None
    decision: Annotated[Decision | None, NotNull] = None
    note: str | None = None
    substance: Seen = None
    then: Then = "inbox"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        implied = {"approved": "approved", "rejected": "rejected", "changes_requested": "rejected"}
        if self.decision and self.status and implied[self.decision] != self.status:
            raise ValueError(f"the decision {self.decision} does not go with the status {self.status}")
        return self


class ApprovalDecision(Body):
    """A person's decision on a pending approval."""

    model_config = Body.model_config | example(decision="changes_requested", note="Shorter, please.")

    decision: Decision
    note: Annotated[
        str | None, Field(max_length=4000, description="What the asker reads; needed for `changes_requested`")
    ] = None
    then: Then = "inbox"
    always: Annotated[
        bool, Field(description="Approve the next times too; only for a request from outside that takes that")
    ] = False
    stop: Annotated[
        bool, Field(description="End the turn too; only to reject a request of a program that takes that")
    ] = False
    substance: Seen = None

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> Self:
        if self.decision == "changes_requested" and not (self.note or "").strip():
            raise ValueError("say what should change")
        if self.always and self.decision != "approved":
            raise ValueError("`always` goes with approved only")
        if self.stop and self.decision != "rejected":
            raise ValueError("`stop` goes with rejected only")
        return self


class PersonRef(Schema):
    """A person, as others see them."""

    id: UUID
    name: str


class VoteRead(Schema):
    """The approval of one of several people who have to approve.

    `is_current`: it counts. It does not when what is decided has changed since, and the person is asked again, nor when
    the person may no longer answer on the board.
    """

    user: PersonRef
    note: str | None
    created_at: datetime
    is_current: bool


class TaskOutcome(Schema):
    """What a decision did to a task in review: `not_finished` says in `reason` which rule was against it.

    Rejected work is `returned` to the inbox, `taken_over` by the person, or `deleted`. `closed`: the request became
    moot for this task, for the `reason` given.
    """

    task_id: UUID
    outcome: Literal["finished", "not_finished", "sent_back", "returned", "taken_over", "deleted", "closed"]
    reason: str | None


class AskedApproval(Schema):
    """What was asked and decided, without the deadline, which stands last."""

    action_type: str
    task_id: UUID | None
    task_ids: list[UUID]
    payload: JsonObject | None
    confidence: Annotated[float, Field(description=CONFIDENCE)]
    rubric_scores: dict[str, int] | None
    status: ApprovalStatus
    id: UUID
    board_id: UUID
    task_titles: list[str]
    agent_id: UUID | None
    created_at: datetime
    resolved_at: datetime | None
    decision: Decision | Literal["closed"] | None
    note: str | None
    resolved_by: PersonRef | None
    requested_by: PersonRef | None
    run_id: UUID | None
    outcomes: list[TaskOutcome]
    gateway_id: UUID | None
    session_id: UUID | None
    expires_at: datetime | None
    answer_state: Literal["waiting", "sent", "late"] | None
    resolved_by_name: str | None


class ApprovalRead(DeadlineRead, AskedApproval):
    """An approval. `run_id` names the run that asked for it.

    Its end, or another attempt at the task, closes the approval: `status` is `rejected`, `decision` is `closed`, and
    `note` says why.

    One with a `gateway_id` was asked for by a gateway: `payload.gateway_request` says what for, `expires_at` until
    when. `answer_state` is `waiting` until the gateway has the decision, then `sent`, or `late` when it had another one
    already; `resolved_by_name` is who decided on the gateway. One with a `session_id` was asked for by the program of
    that session, in `payload.session_request`; it is the same, and who sits at the program may answer first.
    """

    substance: Substance
    approvals_needed: Annotated[int, Field(description="How many people have to approve")]
    approvals_missing: Annotated[int, Field(description="How many of them have yet to; 0 when it is decided")]
    votes: Annotated[list[VoteRead], Field(description="Who approved, where several have to, the first one first")]


class ApprovalQuery(NewsPaging):
    """Which approvals to list."""

    status: ApprovalStatus | None = None


class ApprovalConflict(Schema):
    """A task that waits for another approval already."""

    task_id: UUID
    approval_id: UUID


class ApprovalConflictDetail(Schema):
    """Why the request was refused."""

    message: str
    conflicts: list[ApprovalConflict]


class ApprovalConflictError(Schema):
    """A pending approval exists for one of the tasks, or the run is over; a sentence for every other reason."""

    detail: ApprovalConflictDetail | LeaseLostDetail | str
    request_id: str | None = None
    code: ErrorCode | None = None


class StreamQuery(Schema):
    """Where a stream begins."""

    since: str | None = None
    after: str | None = None


class ApprovalDeadline(DeadlineAsked, Body):
    """Until when a decision is needed, and what happens otherwise."""

    model_config = Body.model_config | example(decide_by="2027-01-04T18:00:00Z", otherwise="send_back")

    otherwise: Annotated[Literal["remind", "send_back", "ask"], Field(description=AFTER_ALL)] = "remind"
