"""Shapes of needs: what is asked, which answers there are, what each does, and what happens if nobody acts."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from mission_control.core.paging import Page, Paging

Kind = Literal["approval", "question", "review", "flagged", "silent", "pairing", "delivery", "overdue"]
Group = Literal["answer", "review", "unblock", "own"]
GROUPS: tuple[Group, ...] = ("answer", "review", "unblock", "own")
Course = Literal["go", "person", "stop"]


class NeedBoard(BaseModel):
    """The board of a need."""

    id: UUID
    name: str


class NeedTask(BaseModel):
    """A task that a need is about."""

    id: UUID
    number: int
    title: str
    status: str


class NeedParty(BaseModel):
    """An agent or a person that has to do with a need."""

    id: UUID | None
    name: str


class NeedFact(BaseModel):
    """One thing that an answer rests on, in a few words."""

    icon: Annotated[str, Field(description="What it is: `bot`, `user`, `paperclip`, `link`, `gauge`, …")]
    text: str
    tone: Annotated[str, Field(description="`warn` or `bad` where it is a reason to look closer, else empty")] = ""
    url: Annotated[str | None, Field(description="Where it can be seen")] = None


class NeedOperation(BaseModel):
    """The operation of this API that an answer performs."""

    operation_id: str
    method: str
    path: str
    path_parameters: dict[str, UUID]
    body: dict[str, Any] | None
    note_field: Annotated[str | None, Field(description="The field of the body that takes your note")] = None


class NeedAnswer(BaseModel):
    """One answer: what it is called, the key for it, and what happens with it.

    Give it by `answer_need` with its `id`, or by the operation it names. An answer without one is a text to copy.
    """

    id: Annotated[str, Field(description="`approve`, `send_back`, `option:2`, …: its name in this need")]
    key: Annotated[str | None, Field(description="The key for it on the page; without one it is in the menu")]
    label: str
    effect: Annotated[str, Field(description="What happens with it, in a sentence")]
    course: Annotated[Course, Field(description="Work goes on, goes to a person, or stops")] = "go"
    recommended: bool = False
    note: Annotated[Literal["none", "optional", "required"], Field(description="Whether it takes your words")] = "none"
    note_label: str = ""
    undoable: Annotated[bool, Field(description="Whether `undo_needs` can take it back")] = False
    in_bulk: Annotated[bool, Field(description="Whether it may be given to many at once")] = False
    copy_text: Annotated[str | None, Field(description="A command to run elsewhere; copying is all there is")] = None
    operation: NeedOperation | None = None


class NeedOtherwise(BaseModel):
    """What happens if nobody acts, and when; without a time nothing happens by itself."""

    at: datetime | None
    text: str


class Need(BaseModel):
    """One thing that waits for you. `version` changes when something about it changes."""

    id: Annotated[str, Field(description="Its kind and the id of what it is about: `approval:<id>`")]
    kind: Kind
    group: Group
    title: Annotated[str, Field(description="What is asked, in one line")]
    reason: Annotated[str | None, Field(description="Why, where that adds something")]
    since: datetime
    version: str
    board: NeedBoard | None
    tasks: list[NeedTask]
    agent: NeedParty | None
    person: NeedParty | None
    facts: list[NeedFact]
    answers: list[NeedAnswer]
    otherwise: NeedOtherwise
    snoozed_until: Annotated[datetime | None, Field(description="When it is shown again")]
    is_snoozed: bool
    url: Annotated[str, Field(description="The page about it")]


class NeedCounts(BaseModel):
    """How many wait, by group, and how many are snoozed."""

    total: int
    answer: int
    review: int
    unblock: int
    own: int
    snoozed: int


class NeedPage(Page[Need]):
    """A part of what waits for you: by group, in it the oldest first. `total` counts what the filters find."""

    counts: Annotated[NeedCounts, Field(description="Of everything on the chosen board, whatever group and kind")]
    oldest: Annotated[datetime | None, Field(description="Since when the oldest waits")]


class NeedQuery(Paging):
    """Which needs to list."""

    limit: int = Field(100, ge=1, le=200)
    board_id: UUID | None = None
    group: Group | None = None
    kind: Kind | None = None
    include: Annotated[
        Literal["waiting", "snoozed", "all"], Field(description="`snoozed`: only those; `all`: them too")
    ] = "waiting"
