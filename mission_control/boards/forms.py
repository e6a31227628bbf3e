"""What the forms of the board pages send."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import orjson
from pydantic import Field

from mission_control.boards.commands import slugify
from mission_control.boards.days import goal_day, goal_moment
from mission_control.boards.models import Board
from mission_control.boards.schemas import (
    LONGEST_BRIEF,
    RULES,
    BoardCreate,
    BoardUpdate,
    DoneNeed,
    SessionDetail,
    as_lines,
    from_lines,
)
from mission_control.core.actor import Actor
from mission_control.core.values import JsonObject, NonEmptyStr, OptionalText
from mission_control.gateways.queries import visible_gateways
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, TypedName, VersionedForm

STATES = {
    "connected": "connected",
    "connecting": "being connected",
    "pairing": "waits for pairing",
    "unreachable": "cannot be reached",
    "refused": "refuses the connection",
}


async def gateway_choices(actor: Actor, board: Board | None = None) -> list[tuple[str, str]]:
    gateways = await visible_gateways(actor).order_by("name")
    choices = [
        (str(gateway.id), f"{gateway.name} ({STATES.get(gateway.state, gateway.state)})") for gateway in gateways
    ]
    present = str(board.gateway_id) if board and board.gateway_id else ""
    if gateways and present and present not in dict(choices):
        choices.append((present, "A gateway that is gone"))
    return choices


Name = Annotated[NonEmptyStr, Field(max_length=200)]
Limit = Annotated[int | None, Field(ge=1, le=2**31 - 1)]
LIMITS = {"wip_in_progress": "in_progress", "wip_review": "review"}
KINDS = [("goal", "A goal to reach"), ("general", "Work without an end")]
GOAL_NEEDS = "A board with a goal needs it, and at least one success metric."
LONGEST_TEXT = 10_000
PLAIN = ("name", "description", "objective", "brief", "session_detail", "max_agents", "done_needs", *RULES)


class TypedBoard(BoardCreate):
    """A new board as people type it: the description may be empty, which the predecessor's shape refuses."""

    description: str = ""


class TypedBoardChange(BoardUpdate):
    """A change of a board as people type it, likewise."""

    description: str | None = None


class NewBoardForm(Form):
    name: Name
    description: str = Field("", max_length=10_000)
    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
    board_type: Literal["goal", "general"] = "goal"
    require_approval_for_done: bool = False

    def body(self, subject: None) -> TypedBoard:
        typed = {**self.model_dump(), "slug": slugify(self.name), "description": self.description.strip()}
        return TypedBoard.model_validate(typed)


class BoardSettingsForm(VersionedForm):
    name: Name
    description: str = Field("", max_length=10_000)
    objective: OptionalText = Field(None, max_length=10_000)
    brief: str = Field("", max_length=LONGEST_BRIEF)
    resume_after_minutes: int | None = Field(None, ge=1, le=30 * 1440)
    session_detail: SessionDetail = "names"
    codex_wait_seconds: int | None = Field(None, ge=0, le=300)
    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
    board_type: str = Field("", max_length=64)
    target_date: date | None = None
    metrics: str = Field("", max_length=LONGEST_TEXT)
    metrics_json: str = Field("", max_length=LONGEST_TEXT)
    max_agents: int = Field(1, ge=0, le=1000)
    require_approval_for_done: bool = False
    require_review_before_done: bool = False
    comment_required_for_review: bool = False
    block_status_changes_with_pending_approval: bool = False
    only_lead_can_change_status: bool = False
    done_when_merged: bool = False
    done_needs: list[DoneNeed] = []
    wip_in_progress: Limit = None
    wip_review: Limit = None

    def body(self, board: Board) -> TypedBoardChange:
        limits = {status: getattr(self, name) for name, status in LIMITS.items()}
        links = {
            name: getattr(self, name)
            for name in ("gateway_id", "board_group_id")
            if name in self.model_fields_set and getattr(self, name) != getattr(board, name)
        }
        plain: FormValues = self.model_dump(include=set(PLAIN))
        if self.codex_wait_seconds is not None:
            plain["codex_wait_seconds"] = self.codex_wait_seconds
        if (minutes := self.resume_after_minutes) is not None and minutes != _minutes(board):
            plain["resume_after_seconds"] = minutes * 60
        return TypedBoardChange.model_validate({**plain, "wip_limits": limits, **links, **self._goal(board)})

    def _goal(self, board: Board) -> JsonObject:
        if "metrics" not in self.model_fields_set:
            return {}
        metrics = self._metrics(board)
        kind = self.board_type or board.board_type
        if kind == "goal" and kind != board.board_type and not (self.objective and metrics):
            raise FormInvalid(self.model_dump(), {"objective": GOAL_NEEDS})
        goal: JsonObject = {"success_metrics": metrics or None}
        if kind != board.board_type:
            goal["board_type"] = kind
        if self.target_date != goal_day(board.target_date):
            goal["target_date"] = goal_moment(self.target_date)
        return goal

    def _metrics(self, board: Board) -> JsonObject:
        if not self.metrics_json.strip() and "metrics" in self._untouched:
            return board.success_metrics or {}
        if not self.metrics_json.strip():
            try:
                return from_lines(self.metrics, board.success_metrics)
            except ValueError as error:
                sentence = str(error)
                raise FormInvalid(self.model_dump(), {"metrics": f"{sentence[:1].upper()}{sentence[1:]}."}) from None
        try:
            metrics = orjson.loads(self.metrics_json)
        except ValueError:
            raise FormInvalid(self.model_dump(), {"metrics_json": "This is not valid JSON."}) from None
        if not isinstance(metrics, dict):
            raise FormInvalid(self.model_dump(), {"metrics_json": 'Write an object, such as {"Orders": 100}.'})
        return metrics

    @classmethod
    def values_of(cls, board: Board) -> FormValues:
        limits = {name: (board.wip_limits or {}).get(status) for name, status in LIMITS.items()}
        more = ("gateway_id", "board_group_id", "board_type", "codex_wait_seconds")
        plain = {name: getattr(board, name) for name in (*PLAIN, *more)}
        goal = {
            "metrics": as_lines(board.success_metrics),
            "metrics_json": "",
            "target_date": goal_day(board.target_date),
        }
        rules = {"resume_after_minutes": _minutes(board), "done_needs": board.done_needs or []}
        return plain | limits | goal | rules


def _minutes(board: Board) -> int:
    return max(1, round(board.resume_after_seconds / 60))


class LimitForm(VersionedForm):
    """How many tasks one column takes; empty for any number."""

    status: Literal["in_progress", "review"]
    limit: Limit = None

    def body(self, board: Board) -> Fields:
        return {"wip_limits": {**(board.wip_limits or {}), self.status: self.limit}}

    async def newest(self, board: Board) -> int | None:
        return (board.wip_limits or {}).get(self.status)

    @classmethod
    def values_of(cls, limit: int | None) -> FormValues:
        return {"limit": limit}


class BoardDeletionForm(TypedName):
    what = "board"
