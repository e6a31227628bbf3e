"""The list of a gateway's sessions, as the gateway's page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from mission_control.agents.models import Agent
from mission_control.gateway_sessions import reading
from mission_control.gateway_sessions.history import SessionFacts
from mission_control.gateway_sessions.session_view import session_url
from mission_control.gateways.calls import call
from mission_control.gateways.models import Gateway
from mission_control.openclaw.errors import GatewayError
from mission_control.web.fragments import render_macro

TEMPLATE = "gateway_sessions/list.html"
MOST = 100
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in the list, and its agent when it is one of ours."""

    facts: SessionFacts
    agent: Agent | None
    url: str

    @property
    def title(self) -> str:
        """What it is called."""
        return self.facts.titled(self.agent)


@dataclass(frozen=True, slots=True)
class SessionList:
    """Sessions of a gateway, the newest first; `error` says why there are none to show."""

    gateway: Gateway
    search: str = ""
    lines: tuple[SessionLine, ...] = ()
    total: int = 0
    error: str = ""


async def sessions_list(gateway: Gateway, search: str) -> SessionList:
    """Read the newest sessions of a gateway, those that match the search."""
    search = search.strip()[:LONGEST_SEARCH]
    params = {"limit": MOST} | ({"search": search} if search else {})
    try:
        payload = await call(gateway.id, "sessions.list", params)
    except GatewayError as error:
        return SessionList(gateway, search, error=error.message)
    mask, agents = await reading.mask_of(gateway.id), await _agents_of(gateway)
    lines = []
    for one in reading.listed(payload):
        if isinstance(one, Mapping) and isinstance(one.get("key"), str):
            facts = SessionFacts.of(one["key"], one, mask)
            lines.append(SessionLine(facts, agents.get(facts.agent_id), session_url(gateway.id, facts.key)))
    total = payload.get("totalCount") if isinstance(payload, Mapping) else None
    return SessionList(gateway, search, tuple(lines), total if isinstance(total, int) else len(lines))


async def _agents_of(gateway: Gateway) -> dict[str, Agent]:
    found = await Agent.filter(organization_id=gateway.organization_id, gateway_id=gateway.id)
    return {str(one.gateway_agent_id): one for one in found if one.gateway_agent_id}


async def render_list(gateway: Gateway, search: str) -> str:
    """Return the HTML of the list."""
    return render_macro(TEMPLATE, "sessions", found=await sessions_list(gateway, search))
