"""Shapes of claims and leases."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.error_codes import ErrorCode
from mission_control.core.schemas import BlankToNone, Body, NonEmptyStr, example
from mission_control.tasks.schemas import TaskRead

LEASE_SECONDS, LONGEST_LEASE_SECONDS = 900, 86_400
LONGEST_WAIT_SECONDS = 50

Fence = Annotated[int, Field(ge=0, lt=2**31, description="The number of the assignment, as the claim returned it")]
LeaseSeconds = Annotated[int, Field(ge=1, le=LONGEST_LEASE_SECONDS, description="How long the lease lasts from now")]
Reason = Annotated[
    Annotated[str, Field(max_length=2_000)] | None, BlankToNone, Field(description="Why it is given back")
]


class ClaimCreate(Body):
    """What kind of work is wanted, for how long, and how long to wait for it."""

    model_config = example(wait_seconds=50, lease_seconds=900)

    task_id: Annotated[UUID | None, Field(description="This task and no other; it is not waited for")] = None
    tags: Annotated[
        list[Annotated[NonEmptyStr, Field(max_length=255)]] | None,
        Field(max_length=50, description="Only tasks with any of these tags, given by slug or id"),
    ] = None
    lease_seconds: LeaseSeconds = LEASE_SECONDS
    wait_seconds: Annotated[
        int, Field(ge=0, le=LONGEST_WAIT_SECONDS, description="How long to wait for work when there is none")
    ] = 0


class LeaseRead(BaseModel):
    """An assignment: send `fence` with every write of the task, and extend before `expires_at`."""

    fence: int
    expires_at: datetime


class ClaimReason(BaseModel):
    """Why no work may begin: a pause or a used-up budget."""

    code: ErrorCode
    message: str


class ClaimRead(BaseModel):
    """The assigned task and its lease; both null when there is no work."""

    task: TaskRead | None
    lease: LeaseRead | None
    reason: Annotated[
        ClaimReason | None, Field(description="Why no work began in all the time that was waited; null: there was none")
    ] = None


class LeaseExtend(Body):
    """Until when a lease is needed, counted from now."""

    model_config = example(fence=3, lease_seconds=900)

    fence: Fence
    lease_seconds: LeaseSeconds = LEASE_SECONDS


class LeaseExtended(BaseModel):
    """A lease with its new end."""

    lease: LeaseRead


class LeaseRelease(Body):
    """Which assignment is released, and why; in the body or in the address."""

    model_config = example(fence=3, reason="The repository is not there.")

    fence: Fence | None = None
    reason: Reason = None
