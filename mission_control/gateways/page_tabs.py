"""The tabs of a gateway's page. Features above gateways add theirs by `Feature.gateway_tabs`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.policy import can
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import REFUSED, TOKEN_CODES, missing_scopes
from mission_control.openclaw.errors import TOKEN_COMMANDS, approve_command

OVERVIEW = "overview"
# From left to right; others follow in the order in which features are installed.
ORDER = (OVERVIEW, "sessions", "agents", "sync")


@dataclass(frozen=True, slots=True)
class Viewed:
    """A gateway as somebody sees it now, and what the address of the page asks for."""

    actor: Actor
    gateway: Gateway
    args: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """The gateway's id."""
        return self.gateway.id

    @property
    def url(self) -> str:
        """Where the gateway's page is."""
        return f"/gateways/{self.gateway.id}"

    @property
    def may_change(self) -> bool:
        """Whether the reader may change the gateway."""
        return can(self.actor, "gateway.update", self.gateway)

    @property
    def missing_scopes(self) -> list[str]:
        """What the gateway does not grant."""
        return missing_scopes(self.gateway)

    @property
    def pairing_command(self) -> str:
        """What to run on the gateway's host."""
        return approve_command(self.gateway.pairing_request_id)

    @property
    def token_commands(self) -> tuple[str, ...]:
        """What prints the right token, where the gateway refuses the saved one."""
        is_refused = self.gateway.state == REFUSED and self.gateway.state_code in TOKEN_CODES
        return TOKEN_COMMANDS if is_refused else ()

    def has(self, method: str) -> bool:
        """Whether the gateway offers a method; unknown before the first connection."""
        return method in (self.gateway.methods or ())


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: the end of its address, its word, and its HTML. Without that it leads to a page of its feature."""

    key: str
    label: str
    render: Callable[[Viewed], Awaitable[str]] | None = None


# The tabs of the installed features, by key.
TABS: dict[str, Tab] = {}


def rendered_tab(key: str) -> Tab | None:
    """Return the tab of a key that the gateway's page renders itself."""
    tab = TABS.get(key)
    return tab if tab is not None and tab.render is not None else None


def in_order() -> list[Tab]:
    """The tabs from left to right."""
    known = [TABS[key] for key in ORDER if key in TABS]
    return known + [tab for key, tab in TABS.items() if key not in ORDER]
