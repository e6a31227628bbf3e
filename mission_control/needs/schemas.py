"""Shapes of needs: what is asked, which answers there are, what each does, and what happens if nobody acts."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError
from pydantic_core.core_schema import no_info_after_validator_function, str_schema

from mission_control.core.substance import Seen
from mission_control.core.values import BlankToNone, Body, Moment, NewsPaging, NonEmptyStr, Schema, Versioned, example

Include = Literal["waiting", "snoozed", "all"]
Group = Literal["answer", "review", "unblock", "paused", "own"]
GLYPHS: dict[str, tuple[str, str]] = {}  # of the installed kinds, in the order of the list: an icon and its tone


class _InstalledKind:
    """The kinds that features declare, as if they were written here."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(cls._known, str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": list(GLYPHS), "type": "string"}

    @staticmethod
    def _known(name: str) -> str:
        if name not in GLYPHS:
            *first, last = [f"'{kind}'" for kind in GLYPHS]
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(first)} or {last}"})
        return name


Kind = Annotated[str, _InstalledKind]
Outcome = Literal["answered", "undone", "snoozed", "shown", "ended", "changed", "refused"]
Course = Literal["go", "person", "stop"]


class NeedBoard(Schema):
    """The board of a need."""

    id: UUID
    name: str


class NeedTask(Schema):
    """A task that a need is about."""

    id: UUID
    number: int
    title: str
    status: str


class NeedParty(Schema):
    """An agent or a person that has to do with a need."""

    id: UUID | None
    name: str


class NeedFact(Schema):
    """One thing that an answer rests on, in a few words."""

    icon: Annotated[str, Field(description="What it is: `bot`, `user`, `paperclip`, `link`, `gauge`, …")]
    text: str
    tone: Annotated[
        str, Field(description="`warn` or `bad` where it is a reason to look closer, `ok` for a check that passed")
    ] = ""
    url: Annotated[str | None, Field(description="Where it can be seen")] = None
    is_counted: Annotated[bool, Field(description="Whether it was counted, not said: these come first")] = False


class NeedOperation(Schema):
    """The operation of this API that an answer performs."""

    operation_id: str
    method: str
    path: str
    path_parameters: dict[str, UUID | str]
    body: dict[str, Any] | None
    note_field: Annotated[str | None, Field(description="The field of the body that takes your note")] = None


class NeedAnswer(Schema):
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
    note_operation: Annotated[
        NeedOperation | None, Field(description="Takes your note, before the other operation, which takes none")
    ] = None


class NeedOtherwise(Schema):
    """What happens if nobody acts, and when; without a time nothing happens by itself."""

    at: datetime | None
    text: str


class Need(Schema):
    """One thing that waits for you. `version` changes when something about it changes, `substance` only with what is
    decided: not with a reminder, a priority or a deadline.
    """

    id: Annotated[str, Field(description="Its kind and the id of what it is about: `approval:<id>`")]
    kind: Kind
    group: Group
    title: Annotated[str, Field(description="What is asked, in one line")]
    reason: Annotated[str | None, Field(description="Why, where that adds something")]
    exact: Annotated[
        str | None, Field(description="All of the command, the diff or the call that is asked for, with nothing hidden")
    ] = None
    since: datetime
    version: str
    substance: Annotated[str, Field(description="A mark of what is decided; send it with your answer")] = ""
    board: NeedBoard | None
    tasks: list[NeedTask]
    agent: NeedParty | None
    person: NeedParty | None
    facts: list[NeedFact]
    answers: list[NeedAnswer]
    high_risk: Annotated[bool, Field(description="Whether it is said to be dangerous: look at all of it")] = False
    otherwise: NeedOtherwise
    snoozed_until: Annotated[datetime | None, Field(description="When it is shown again")]
    is_snoozed: bool
    url: Annotated[str, Field(description="The page about it")]
    diff_url: Annotated[str | None, Field(description="The page with the change, by file")] = None

    @property
    def glyph(self) -> tuple[str, str]:
        return GLYPHS[self.kind]

    @property
    def is_to_be_opened(self) -> bool:
        """Whether one looks at it before one approves by a key: it brings code, a check failed, or it is dangerous."""
        return bool(self.diff_url) or self.high_risk or any(fact.tone == "bad" for fact in self.facts)


class NeedSnooze(Body):
    """Until when a need is put off: a time, a change of it, or whichever is first."""

    model_config = Body.model_config | example(until="2027-01-04T09:00:00Z")

    until: Annotated[Moment | None, Field(description="When it is shown again")] = None
    until_changed: Annotated[bool, Field(description="Show it again when something about it changes")] = False

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.until is None and not self.until_changed:
            raise ValueError("send until, until_changed, or both")
        return self


class NeedsSnoozed(Body):
    """Until when several needs are put off, or that they are shown again."""

    model_config = Body.model_config | example(
        ids=["approval:01a20f89-2bd7-774c-8be4-ab89967d70a3"], until="2027-01-04T09:00:00Z"
    )

    ids: Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=200)]
    until: Annotated[Moment | None, Field(description="When they are shown again")] = None
    until_changed: Annotated[bool, Field(description="Show each again when something about it changes")] = False
    show: Annotated[bool, Field(description="Show them again now")] = False

    @model_validator(mode="after")
    def _ends(self) -> Self:
        put_off = self.until is not None or self.until_changed
        if put_off == self.show:
            raise ValueError("send until, until_changed, or both; or show alone, to show them again now")
        return self


class NeedCounts(Schema):
    """How many wait, by group, and how many are snoozed."""

    total: int
    answer: int
    review: int
    unblock: int
    paused: int
    own: int
    snoozed: int


class NeedPage(Versioned[Need]):
    """A part of what waits for you: by group, in it the oldest first. `total` counts what the filters find."""

    counts: Annotated[NeedCounts, Field(description="Of everything on the chosen board, whatever group and kind")]
    oldest: Annotated[datetime | None, Field(description="Since when the oldest waits")]


class NeedQuery(NewsPaging):
    """Which needs to list."""

    limit: int = Field(100, ge=1, le=200)
    board_id: UUID | None = None
    group: Group | None = None
    kind: Kind | None = None
    include: Annotated[Include, Field(description="`snoozed`: only those; `all`: them too")] = "waiting"


class NeedAnswerGiven(Body):
    """The answer that you choose."""

    model_config = Body.model_config | example(answer="send_back", note="Shorter, please.")

    answer: Annotated[str, Field(max_length=80, description="The `id` of one of its answers")]
    note: Annotated[Annotated[NonEmptyStr, Field(max_length=20_000)] | None, BlankToNone] = None
    substance: Seen = None


class NeedAnswered(NeedAnswerGiven):
    """The answer that you choose for one of many."""

    model_config = Body.model_config | example(id="approval:01a20f89-2bd7-774c-8be4-ab89967d70a3", answer="approve")

    id: Annotated[str, Field(max_length=80)]


class NeedsAnswered(Body):
    """Many answers, each given by itself."""

    model_config = Body.model_config | example(
        answers=[{"id": "approval:01a20f89-2bd7-774c-8be4-ab89967d70a3", "answer": "approve"}]
    )

    answers: Annotated[list[NeedAnswered], Field(min_length=1, max_length=200)]


class NeedsUndone(Body):
    """Whose answers of yours are to be taken back."""

    model_config = Body.model_config | example(ids=["approval:01a20f89-2bd7-774c-8be4-ab89967d70a3"])

    ids: Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=200)]


class NeedResult(Schema):
    """What became of one need: what was done; `ended` when somebody was faster, `changed` when it is no longer what was
    seen, or `refused`: `message` says more.
    """

    id: str
    title: str | None
    outcome: Outcome
    message: str | None
    undoable: Annotated[bool, Field(description="Whether `undo_needs` takes it back, for ten minutes")]
    missing: Annotated[
        int, Field(description="How many others have to give this answer too, before anything happens")
    ] = 0


class NeedResults(Schema):
    """What became of each need, in the order in which they were sent, and how many there are of each outcome."""

    results: list[NeedResult]
    answered: int
    undone: Annotated[int, Field(description="Whose answers were taken back")]
    snoozed: int
    shown: Annotated[int, Field(description="That are shown again")]
    failed: int
