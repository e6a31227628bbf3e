"""A session of a gateway as its page shows it: its transcript and its runs."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.gateway_sessions import received
from mission_control.gateway_sessions.history import History, agent_in, read_history
from mission_control.gateway_sessions.watches import watch_id
from mission_control.gateways.keys import main_session_key
from mission_control.gateways.models import Gateway
from mission_control.gateways.reporting import CONNECTED
from mission_control.web.regions import View

SHOWN, MOST_SHOWN = 100, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView(View):
    """The page of a session. Messages after `since` are in the part of the transcript that changes.

    A stream waits for no gateway: with `is_live` the history is what was read last.
    """

    gateway: Gateway
    key: str
    agent: Agent | None = None
    shown: int = SHOWN
    since: int = 0
    is_live: bool = False

    @property
    def url(self) -> str:
        """Where the page is."""
        return session_url(self.gateway.id, self.key)

    @property
    def watch(self) -> str:
        """The session's name in signals."""
        return watch_id(self.gateway.id, self.key)

    @property
    def is_connected(self) -> bool:
        """Whether the gateway is connected."""
        return bool(self.gateway.state == CONNECTED)

    async def history(self) -> History:
        """Return the transcript."""
        if self.is_live:
            return received.received(self.watch).history or History()
        key = ("gateway-history", self.watch, self.shown)
        return await self.reads.get(key, lambda: read_history(self.gateway.id, self.key, self.shown))


def session_url(gateway_id: UUID, key: str) -> str:
    """Return where the page of a session is."""
    return f"/gateways/{gateway_id}/sessions/{quoted(key)}"


def quoted(key: str) -> str:
    """Return a session key as a part of an address."""
    return quote(key, safe="")


async def agent_of_session(gateway: Gateway, key: str) -> Agent | None:
    """Return the agent whose session it is, None when it is no agent of ours."""
    agent_id = agent_in(key)
    if not agent_id:
        return None
    known = Agent.filter(organization_id=gateway.organization_id, gateway_id=gateway.id)
    if key == main_session_key(gateway.id):
        return await known.get_or_none(board_id=None)
    return await known.filter(gateway_agent_id=agent_id).first()
