"""The fields of an agent, declared once.

The table below is read by the bodies and answers of the API (`schemas.py`) and by the command that creates agents. A
new column touches the model, this table, a migration, and the template that shows it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from mission_control.agents.holds.schemas import AgentHold
from mission_control.core.field_tables import NOT_SENT, REQUIRED, DeclaredField
from mission_control.core.values import BlankToNone, JsonObject, NonEmptyStr
from mission_control.people.organizations.work_state import State

SOUL_LENGTH = 18_000
FIELD_LENGTH = 2_000
EVERY = r"^[0-9]{1,5}(s|m|h|d)$"


def _profile(value: object) -> dict[str, str] | None:
    """Return an identity profile as text by key, without keys that are null or blank; None for what is no mapping."""
    if not isinstance(value, Mapping):
        return None
    profile: dict[str, str] = {}
    for key, item in value.items():
        text = ", ".join(str(part) for part in item) if isinstance(item, list) else str(item)
        if item is not None and str(key).strip() and text.strip():
            profile[str(key).strip()] = text.strip()
    return profile or None


def _heartbeat(config: JsonObject | None) -> JsonObject | None:
    every = (config or {}).get("every", "10m")
    if not (isinstance(every, str) and re.fullmatch(EVERY, every)):
        raise ValueError("every is a number and s, m, h or d, such as 30s or 10m; 0m is off")
    return config


def _tags(slugs: list[str] | None) -> list[str] | None:
    """Return the slugs once each; None for an empty list, which is no restriction."""
    return list(dict.fromkeys(slugs or [])) or None


HeartbeatConfig = Annotated[dict[str, object] | None, AfterValidator(_heartbeat)]
ShortText = Annotated[str, StringConstraints(max_length=FIELD_LENGTH)]
Profile = Annotated[dict[str, ShortText] | None, BeforeValidator(_profile)]
SoulText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=SOUL_LENGTH)]
Soul = Annotated[SoulText | None, BlankToNone]
AgentName = Annotated[NonEmptyStr, Field(max_length=200)]
TagSlug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=255)]
ClaimTags = Annotated[
    list[TagSlug] | None,
    Field(
        max_length=50,
        description="Slugs of tags: the agent claims only tasks with one of them; assigned tasks ignore tags",
    ),
    AfterValidator(_tags),
]
WipLimit = Annotated[
    int | None, Field(ge=1, lt=2**31, description="As many tasks in progress it has at most; null is any number")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentField(DeclaredField):
    """One field of an agent. A `plain` field has no rule: what is sent is stored."""

    is_changed: bool = False
    is_plain: bool = False


def plain(name: str, kind: object, default: object = None, **more: Any) -> AgentField:
    return AgentField(name=name, kind=kind, default=default, is_changed=True, is_plain=True, **more)


def ruled(name: str, kind: object, default: object = NOT_SENT, **more: Any) -> AgentField:
    return AgentField(name=name, kind=kind, default=default, **more)


def kept(name: str, kind: object, meaning: str = "") -> AgentField:
    """A column that the program sets and that answers show."""
    return AgentField(name=name, kind=kind, meaning=meaning)


def internal(name: str, kind: object) -> AgentField:
    return AgentField(name=name, kind=kind, is_answered=False)


# In the order in which answers have them.
FIELDS: tuple[AgentField, ...] = (
    ruled("board_id", UUID | None, None, is_changed=True),
    plain("name", str, REQUIRED, accepts=AgentName),
    ruled("status", str, "provisioning"),
    plain("heartbeat_config", JsonObject | None, accepts=HeartbeatConfig),
    plain("identity_profile", JsonObject | None, accepts=Profile),
    plain("identity_template", str | None, accepts=Soul),
    plain("soul_template", str | None, accepts=Soul),
    kept("id", UUID),
    ruled("gateway_id", UUID | None, None),
    plain("is_board_lead", bool, False),
    ruled("is_gateway_main", bool, is_column=False),
    kept("openclaw_session_id", str | None),
    plain("wip_limit", int | None, accepts=WipLimit),
    plain("claim_tags", list[str] | None, accepts=ClaimTags),
    kept("work_state", State),
    kept("work_state_reason", str | None),
    kept("work_state_at", datetime | None),
    kept("hold", AgentHold | None, "A worker of it waits for its limit, its provider or a sign-in"),
    kept("is_adopted", bool),
    kept("last_provision_error", str | None),
    kept("wake_attempts", int),
    kept("checkin_deadline_at", datetime | None),
    kept("last_seen_at", datetime | None),
    kept("gateway_away_at", datetime | None),
    kept("run_began_at", datetime | None),
    kept("created_at", datetime),
    kept("updated_at", datetime),
    *(internal(name, str | None) for name in ("gateway_agent_id", "workspace_path", "workspace_token")),
    *(internal(name, str | None) for name in ("callback_url", "callback_secret")),
    internal("organization_id", UUID),
    internal("last_wake_sent_at", datetime | None),
)
CHANGED = tuple(field for field in FIELDS if field.is_changed)
PLAIN = tuple(field.name for field in FIELDS if field.is_plain)
