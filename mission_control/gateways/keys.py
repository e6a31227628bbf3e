"""The names of agents on a gateway: session keys, agent ids and workspace folders."""

import re
from uuid import UUID

from mission_control.core.ids import new_id

_OURS = re.compile(r"(mc|mc-gateway|lead)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def main_session_key(gateway_id: UUID) -> str:
    """Return the session key of a gateway's main agent."""
    return f"agent:mc-gateway-{gateway_id}:main"


def lead_session_key(board_id: UUID) -> str:
    """Return the session key of a board's lead."""
    return f"agent:lead-{board_id}:main"


def worker_session_key(agent_id: UUID) -> str:
    """Return the session key of a worker."""
    return f"agent:mc-{agent_id}:main"


def gateway_agent_id(session_key: str) -> str:
    """Return the agent id in a session key, `lead-<board id>` of `agent:lead-<board id>:main`."""
    return session_key.split(":")[1]


def is_made_by_us(agent_id: str) -> bool:
    """Return whether an agent id is one that Mission Control gives, in any installation."""
    return _OURS.fullmatch(agent_id) is not None


def slug(text: str) -> str:
    """Return a text as lower-case letters and digits with single hyphens; random when nothing of it is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or new_id().hex


def workspace_path(root: str, agent_id: str) -> str:
    """Return the folder of an agent below the workspace root of its gateway, which expands a `~`."""
    name = agent_id.removeprefix("mc-") if agent_id.startswith("mc-gateway-") else agent_id
    return f"{root.rstrip('/')}/workspace-{slug(name)}"
