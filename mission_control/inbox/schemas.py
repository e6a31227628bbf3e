"""Shapes of the inbox, of deliveries and of callbacks."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from mission_control.core.paging import Paging
from mission_control.core.schemas import Body, example
from mission_control.inbox.signatures import usable_secret

State = Literal["waiting", "sending", "sent", "failed"]
LONGEST_URL = 2_000


class InboxQuery(BaseModel):
    """From where to read, how much, and how long to wait for the first notice."""

    after: int = Field(0, ge=0)
    limit: int = Field(50, ge=1, le=200)
    wait_seconds: int = Field(0, ge=0, le=50)


class InboxItem(BaseModel):
    """A notice. `kind` is one word for programs, `header` and `text` are to be read; `seq` only ever grows."""

    seq: int
    id: UUID
    kind: str
    header: str
    text: str
    task_id: UUID | None
    board_id: UUID | None
    data: dict[str, Any]
    created_at: datetime


class Inbox(BaseModel):
    """Notices in order, and what to send as `after` once they are dealt with."""

    items: list[InboxItem]
    next: int


class DeliveryQuery(Paging):
    """Which deliveries to list."""

    state: State | None = None


class DeliveryRead(BaseModel):
    """A notice to an agent and what became of it. `due_at` is when a waiting one is tried next."""

    id: UUID
    seq: int | None
    kind: str
    header: str
    text: str
    task_id: UUID | None
    board_id: UUID | None
    data: dict[str, Any]
    state: State
    attempts: int
    last_error: str | None
    due_at: datetime
    sent_at: datetime | None
    created_at: datetime


CallbackUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_URL)]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200), AfterValidator(usable_secret)]


class CallbackSet(Body):
    """Where an agent's notices go. Without a secret a new random one is made."""

    model_config = example(url="https://agents.example.org/vega")

    url: CallbackUrl
    secret: Secret | None = None


class CallbackRead(BaseModel):
    """An agent's callback, `url` null when it has none; `last_error` is null once a notice has arrived again."""

    url: str | None
    last_success_at: datetime | None
    last_error: str | None
    waiting: int
    failed: int


class CallbackSecret(CallbackRead):
    """A callback just set; the secret is shown here and never again."""

    secret: str
