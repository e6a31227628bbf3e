"""The session of an agent on a gateway, as a tab of the agent's page that leads to the session's own."""

from mission_control.agents.page_tabs import Tab, Viewed
from mission_control.gateway_sessions.session_view import session_url
from mission_control.web.fragments import render_macro


def leads_to(viewed: Viewed) -> str:
    """Return where the agent's session is, "" for an agent without one."""
    agent = viewed.agent
    if agent.gateway_id is None or not agent.openclaw_session_id:
        return ""
    return session_url(agent.gateway_id, agent.openclaw_session_id)


async def render(viewed: Viewed) -> str:
    """Return what stands at the tab's address on the agent's page."""
    return render_macro("gateway_sessions/agent.html", "tab", url=leads_to(viewed), viewed=viewed)


TAB = Tab("session", "Session", render, leads_to=leads_to)
