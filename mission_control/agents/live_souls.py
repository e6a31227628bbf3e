"""Souls as the gateways of their agents have them."""

from typing import Any

from mission_control.agents.coordination import require_gateway
from mission_control.agents.models import Agent
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Invalid, Unreachable
from mission_control.database.sql import rows
from mission_control.gateways import calls
from mission_control.openclaw.errors import GatewayError

FILE = "SOUL.md"
NO_ANSWER = "The gateway did not give the agent's soul. Try again later."


async def current_soul(agent: Agent) -> str:
    """Return the soul of an agent: the stored text, or the file of an agent on a gateway.

    While its files there are being written, a text that was set is the one that they get.

    Raise Invalid for an agent that is not set up there, Unreachable when the gateway does not answer.
    """
    if agent.gateway_id is None:
        return agent.soul_template or ""
    if not agent.gateway_agent_id or agent.openclaw_session_id is None:
        raise Invalid({"message": f"{agent.name} has no session yet.", "code": ErrorCode.AGENT_WITHOUT_SESSION})
    await require_gateway(agent.gateway_id)
    if agent.soul_template is not None and await _is_being_written(agent):
        return agent.soul_template
    try:
        wanted = {"agentId": agent.gateway_agent_id, "name": FILE}
        text = _text(await calls.call(agent.gateway_id, "agents.files.get", wanted))
    except GatewayError as error:
        raise Unreachable(NO_ANSWER) from error
    if text is None:
        raise Unreachable(NO_ANSWER)
    return text


async def _is_being_written(agent: Agent) -> bool:
    """Return whether the agent's files are still to be written, so that its file there is older than what was set."""
    return bool(
        await rows(
            "SELECT 1 AS one FROM provisioning_jobs WHERE agent_id = ? AND state IN ('waiting', 'running') LIMIT 1",
            agent.id,
        )
    )


def _text(answer: Any) -> str | None:
    """Return the text in an answer: the answer itself, or its `content` or that of its `file`."""
    if isinstance(answer, str):
        return answer
    file = answer.get("file", answer) if isinstance(answer, dict) else None
    if not isinstance(file, dict):
        return None
    content = file.get("content")
    return "" if content is None and file.get("missing") else content if isinstance(content, str) else None
