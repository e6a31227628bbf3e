"""Shapes of boards."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, Self, get_args
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, model_validator

from mission_control.client.shell.patterns import trouble
from mission_control.core.field_tables import REQUIRED, DeclaredField, answered, changed, completed, created
from mission_control.core.values import Body, FromRow, JsonObject, Moment, NonEmptyStr, Paging, Schema, example
from mission_control.needs.escalation import Escalation
from mission_control.people.organizations.work_state import State

WipLimits = Annotated[
    dict[Literal["in_progress", "review"], Annotated[int | None, Field(ge=1, lt=2**31)]] | None,
    AfterValidator(lambda limits: {name: limit for name, limit in (limits or {}).items() if limit is not None} or None),
    Field(description="How many tasks a column takes; while one is full, agents get no tasks"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardField(DeclaredField):
    """One field of a board. A board's file holds what is `own`; `label` names the field in sentences."""

    is_changed: bool = False
    is_own: bool = False
    is_rule: bool = False
    label: str = ""


def kept(name: str, kind: object, **more: Any) -> BoardField:
    """A column that the program sets and that answers show."""
    return BoardField(name=name, kind=kind, **more)


def own(name: str, kind: object, default: object = None, **more: object) -> BoardField:
    return kept(name, kind, default=default, is_changed=True, is_own=True, **more)


def rule(name: str, label: str, *, default: bool = False) -> BoardField:
    return own(name, bool, default, is_rule=True, label=label)


MOST_PATTERNS = 100


def _allowing(pattern: str) -> str:
    return _usable(pattern, allows=True)


def _asking(pattern: str) -> str:
    return _usable(pattern, allows=False)


def _usable(pattern: str, *, allows: bool) -> str:
    if why := trouble(pattern := pattern.strip(), allows=allows):
        raise ValueError(f"{pattern[:80]}: {why}")
    return pattern


MustPattern = Annotated[str, AfterValidator(_asking)]


def _once(patterns: list[str]) -> list[str]:
    return list(dict.fromkeys(patterns))


LISTED = Field(max_length=MOST_PATTERNS), AfterValidator(_once)


class CallRules(Body):
    """Rules for the calls of programs, as patterns such as `Bash(git status *)`; of several the strictest holds."""

    model_config = example(allow=["Bash(git status *)"], ask=["Bash(git push *)"])

    allow: Annotated[
        list[Annotated[str, AfterValidator(_allowing)]],
        *LISTED,
        Field(description="What runs without asking: a tool, or the whole of one plain command"),
    ] = []
    ask: Annotated[
        list[MustPattern],
        *LISTED,
        Field(description="What asks, wherever it stands in a command, whatever else allows it"),
    ] = []
    must: Annotated[
        list[MustPattern],
        *LISTED,
        Field(description="What needs a yes, likewise: without one, or with the board away, it is refused"),
    ] = []


def _complete(rules: CallRules | None) -> CallRules | None:
    if rules is None or not (rules.allow or rules.ask or rules.must):
        return None
    return rules.model_copy(update={"allow": rules.allow, "ask": rules.ask, "must": rules.must})


GivenRules = Annotated[CallRules | None, AfterValidator(_complete)]


DoneNeed = Literal["result", "check", "criteria"]
GivenNeeds = Annotated[
    list[DoneNeed] | None,
    AfterValidator(lambda needs: [need for need in get_args(DoneNeed) if need in (needs or ())] or None),
]
LONGEST_BRIEF = 10_000
MOST_NEEDED = 5
SessionDetail = Literal["names", "commands", "all"]
link = partial(kept, kind=UUID | None, default=None, is_changed=True)  # what the board belongs to
internal = partial(kept, is_answered=False)


# In the order in which answers have them.
FIELDS: tuple[BoardField, ...] = (
    own("name", str, REQUIRED),
    own("slug", str, REQUIRED),
    own("description", str, REQUIRED, accepts=NonEmptyStr),
    link("gateway_id"),
    link("board_group_id"),
    own("board_type", str, "goal", accepts=Annotated[str, Field(max_length=64)]),
    own("objective", str | None),
    own("success_metrics", JsonObject | None),
    own("target_date", datetime | None, accepts=Moment | None),
    own("goal_confirmed", bool, False),
    own("goal_source", str | None),
    rule("require_approval_for_done", "approval before done", default=True),
    rule("require_review_before_done", "review before done"),
    rule("comment_required_for_review", "comment when entering review"),
    rule("block_status_changes_with_pending_approval", "waiting approvals hold tasks"),
    rule("only_lead_can_change_status", "only the lead moves tasks"),
    rule("done_when_merged", "done when merged"),
    own("done_needs", list[str] | None, accepts=GivenNeeds, label="what done needs"),
    # None of the three is its own: an importer has other people.
    kept(
        "approvals_needed",
        int,
        accepts=Annotated[int, Field(ge=1, le=MOST_NEEDED, description="How many people have to approve")],
        default=1,
        is_changed=True,
        label="people who have to approve",
    ),
    kept(
        "programs_need_quorum",
        bool,
        accepts=Annotated[
            bool, Field(description="Whether as many have to approve what gateways and programs ask, too")
        ],
        default=False,
        is_changed=True,
        label="several people also for programs",
    ),
    kept(
        "escalation",
        JsonObject | None,
        accepts=Annotated[Escalation | None, Field(description="Whom to ask when nobody has looked; null: nobody")],
        default=None,
        is_changed=True,
        label="who else is asked",
    ),
    own("max_agents", int, 1, accepts=Annotated[int, Field(ge=0, lt=2**31)], label="most agents"),
    own("wip_limits", dict[str, int] | None, accepts=WipLimits, label="limits of columns"),
    own("brief", str, "", accepts=Annotated[str, Field(max_length=LONGEST_BRIEF)], label="how we work here"),
    own(
        "resume_after_seconds",
        int,
        3600,
        accepts=Annotated[int, Field(ge=60, le=30 * 86_400)],
        label="time to take work up again",
    ),
    own("session_detail", SessionDetail, "names", label="what is kept of sessions"),
    # Not its own: who imports a board lets no program do anything by that.
    kept(
        "call_rules",
        dict[str, list[str]] | None,
        accepts=GivenRules,
        default=None,
        is_changed=True,
        label="what programs may without asking",
    ),
    own(
        "codex_wait_seconds",
        int,
        45,
        accepts=Annotated[int, Field(ge=0, le=300)],
        label="how long Codex waits for an answer",
    ),
    kept("work_state", State),
    kept("work_state_reason", str | None),
    kept("work_state_at", datetime | None),
    kept("id", UUID),
    kept("organization_id", UUID),
    kept("created_at", datetime),
    kept("updated_at", datetime),
    internal("task_count", int),
    internal("deleted_at", datetime | None),
    internal("absent_since", datetime | None),
)
CHANGED = tuple(field for field in FIELDS if field.is_changed)
OWN = tuple(field for field in FIELDS if field.is_own)
RULES = tuple(field.name for field in FIELDS if field.is_rule)
SETTING_NAMES = {field.name: field.label for field in FIELDS if field.label}


GOAL_RULE = "a confirmed goal needs an objective and success metrics"


@completed(created(OWN))
class BoardFields(Schema):
    """What a board has of its own, whatever it belongs to."""

    name: str
    slug: str
    description: NonEmptyStr
    board_type: str = "goal"
    objective: str | None = None
    success_metrics: JsonObject | None = None
    goal_confirmed: bool = False

    @model_validator(mode="after")
    def _goal_is_complete(self) -> Self:
        if self.board_type == "goal" and self.goal_confirmed and not (self.objective and self.success_metrics):
            raise ValueError(GOAL_RULE)
        return self


@completed(created(FIELDS))
class BoardCreate(BoardFields):
    """A board to be made."""

    model_config = example(name="Website", slug="website", description="All that people see of us.")


@completed(changed(CHANGED))
class BoardUpdate(Schema):
    """What to change on a board; absent leaves."""

    model_config = example(require_review_before_done=True)


@completed(answered(FIELDS))
class BoardRead(FromRow):
    """A board."""


class DeletedBoardRead(BoardRead):
    """A board in the trash."""

    deleted_at: datetime | None


class BoardQuery(Paging):
    """Which boards to list."""

    gateway_id: UUID | None = None
    board_group_id: UUID | None = None


def as_lines(metrics: JsonObject | None) -> str:
    return "\n".join(f"{name}: {_as_text(value)}" for name, value in (metrics or {}).items())


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def from_lines(text: str, known: JsonObject | None = None) -> JsonObject:
    """Parse metrics from lines; an unchanged line keeps its value. A line without a colon: ValueError."""
    metrics: JsonObject = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, wanted = (part.strip() for part in line.partition(":"))
        if not (name and colon and wanted):
            raise ValueError(f"write each line as what is measured, a colon and how much; this one is not: {line[:80]}")
        kept = (known or {}).get(name)
        metrics[name] = kept if kept is not None and _as_text(kept) == wanted else wanted
    return metrics


def as_rows(metrics: JsonObject | None) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _in_words(value)) for name, value in (metrics or {}).items()]


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_in_words(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    return _as_text(value)
