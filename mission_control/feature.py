"""What a feature adds to the application, declared in the `feature.py` of its package.

Nothing here is imported at run time, so that every package may declare itself. `features.py` lists the features, and
its `install()` fills the registries from them; nothing else does.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from quart import Blueprint, Quart

    from mission_control.asks.kinds import AskKind
    from mission_control.core.actor import Actor, Rules
    from mission_control.doors.registry import Tools
    from mission_control.gateways.events import Connected, Handle
    from mission_control.http.body_limit import BodyLimit
    from mission_control.http.operation_api import Api
    from mission_control.http.registry import Handler
    from mission_control.log.event_log import Kind
    from mission_control.log.unit_of_work import Reactions
    from mission_control.tasks.sentences import FieldSentence
    from mission_control.tasks.waiting import Explain
    from mission_control.web.asides import Aside
    from mission_control.web.regions import Region
    from mission_control.web.shell import PaletteEntry, SettingsPage, Shell
    from mission_control.web.tabs import Tab
    from mission_control.work.loop import Sender
    from mission_control.work.loops import Loop


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature. A field that takes one function may be set by one feature only."""

    name: str

    # State and its changes.
    models: tuple[ModuleType, ...] = ()
    rules: "tuple[Rules, ...]" = ()
    reactions: "tuple[Reactions, ...]" = ()
    # Kinds of events by name: when they are recorded, and their sentences in a feed.
    kinds: "Mapping[str, Kind]" = field(default_factory=dict)
    # Sentences in a feed for changed fields of a task, the most important field first.
    task_sentences: "Mapping[str, FieldSentence]" = field(default_factory=dict)
    # Kinds of the account log, with when they are recorded.
    account_kinds: Mapping[str, str] = field(default_factory=dict)

    # HTTP: operations and pages; the look-ups of what operations are about, one for each type; operations whose bodies
    # have a limit of their own; beginnings of paths that carry a secret, which no log shows.
    blueprints: "tuple[Api | Blueprint, ...]" = ()
    lookups: "tuple[Handler, ...]" = ()
    body_limits: "tuple[BodyLimit, ...]" = ()
    secret_paths: tuple[str, ...] = ()

    # Pages.
    agent_tabs: "tuple[Tab[Any], ...]" = ()
    gateway_tabs: "tuple[Tab[Any], ...]" = ()
    # What can stand beside a board or a group.
    asides: "tuple[Aside, ...]" = ()
    # Parts of pages that stay current.
    regions: "tuple[Region[Any], ...]" = ()
    # What people are asked.
    asks: "tuple[AskKind[Any], ...]" = ()
    palette: "tuple[PaletteEntry, ...]" = ()
    # Pages under /settings, with their entries in its navigation and in the palette.
    settings_pages: "tuple[SettingsPage, ...]" = ()
    build_shell: "Callable[[Actor], Awaitable[Shell]] | None" = None
    needs_setup: Callable[[], Awaitable[bool]] | None = None

    # Agents: tools of MCP; the headers of notices, each with its word for programs; why tasks wait.
    tools: "tuple[Tools, ...]" = ()
    notices: Mapping[str, str] = field(default_factory=dict)
    explain_waiting: "Explain | None" = None

    # Background: loops that run while the application serves, who sends deliveries, and callbacks of wake-up channels
    # and of families of channels.
    loops: "tuple[Loop, ...]" = ()
    senders: "Callable[[Quart], Sequence[Sender]] | None" = None
    on_notify: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    on_notify_family: Mapping[str, Callable[[str], None]] = field(default_factory=dict)

    # Gateways: what is done with their events, by the gateway's name of the event, and after each connection.
    gateway_events: "Mapping[str, Handle]" = field(default_factory=dict)
    on_gateway_connected: "tuple[Connected, ...]" = ()

    # Callers: the owner behind LOCAL_AUTH_TOKEN, a membership for a person without one, the person and the end of a
    # token that the identity provider signed, an agent's sign of life, deleting an account at the provider.
    local_owner: "Callable[[], Awaitable[UUID]] | None" = None
    ensure_membership: "Callable[[UUID], Awaitable[None]] | None" = None
    provider_token: "Callable[[str], Awaitable[tuple[UUID, datetime] | None]] | None" = None
    agent_seen: "Callable[[Actor, datetime | None], Awaitable[None]] | None" = None
    delete_at_provider: Callable[[str], Awaitable[None]] | None = None

    # What is done elsewhere before an organization is deleted.
    before_removal: "Callable[[UUID], Awaitable[None]] | None" = None

    # What needs the application itself, when it is made.
    prepare: "Callable[[Quart], None] | None" = None
