"""What the texts of a workspace say about an agent, its board and its person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from mission_control.accounts.models import User
from mission_control.agents.models import Agent
from mission_control.boards.models import Board
from mission_control.boards.schemas import RULES
from mission_control.core import clock

Role = Literal["worker", "lead", "main"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFacts:
    """A board: its goal, its rules, and how many workers it takes."""

    id: UUID
    name: str
    description: str = ""
    board_type: str = "goal"
    objective: str = ""
    success_metrics: str = ""
    target_date: str = ""
    goal_confirmed: bool = False
    has_group: bool = False
    max_agents: int = 1
    rules: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, board: Board) -> "BoardFacts":
        metrics = board.success_metrics
        return cls(
            id=board.id,
            name=board.name,
            description=board.description or "",
            board_type=board.board_type,
            objective=board.objective or "",
            success_metrics=json.dumps(metrics, ensure_ascii=False, indent=1) if metrics else "",
            target_date=_moment(board.target_date),
            goal_confirmed=board.goal_confirmed,
            has_group=board.board_group_id is not None,
            max_agents=board.max_agents,
            rules={name: getattr(board, name) for name in RULES},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    name: str = ""
    preferred_name: str = ""
    pronouns: str = ""
    timezone: str = ""
    notes: str = ""
    context: str = ""

    @classmethod
    def of(cls, user: User) -> "PersonFacts":
        """Return the facts of a person; without a preferred name the first word of the name or address serves."""
        name = user.name or user.email or ""
        first = (user.preferred_name or "").split() or name.partition("@")[0].split()
        return cls(
            name=name,
            preferred_name=first[0] if first else "",
            pronouns=user.pronouns or "",
            timezone=user.timezone or "",
            notes=user.notes or "",
            context=user.context or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceFacts:
    """Everything that the texts for one agent need. A main agent has no board, every other agent has one."""

    role: Role
    agent_id: UUID
    name: str
    base_url: str
    token: str = field(repr=False)
    workspace_root: str = ""
    workspace_path: str = ""
    soul: str = ""
    identity_profile: Mapping[str, str] = field(default_factory=dict)
    identity_template: str = ""
    board: BoardFacts | None = None
    person: PersonFacts | None = None

    @classmethod
    def of(
        cls,
        agent: Agent,
        board: Board | None,
        person: User | None,
        *,
        base_url: str,
        token: str,
        workspace_root: str,
        workspace_path: str,
        soul: str | None = None,
    ) -> "WorkspaceFacts":
        """Return the facts of an agent's rows. `soul` is used where the agent has none of its own."""
        return cls(
            role="main" if board is None else "lead" if agent.is_board_lead else "worker",
            agent_id=agent.id,
            name=agent.name,
            base_url=base_url,
            token=token,
            workspace_root=workspace_root,
            workspace_path=workspace_path,
            soul=agent.soul_template or soul or "",
            identity_profile=_texts(agent.identity_profile or {}),
            identity_template=agent.identity_template or "",
            board=None if board is None else BoardFacts.of(board),
            person=None if person is None else PersonFacts.of(person),
        )


def _texts(profile: Mapping[str, object]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in profile.items()}


def _moment(value: datetime | None) -> str:
    return "" if value is None else clock.wire(value)
