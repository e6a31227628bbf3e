"""Hints for agents about which operation to choose."""

from typing import Any

from mission_control.core.error_codes import ErrorCode
from mission_control.operations.registry import Hints

ALL_ROLES = ("agent", "agent-lead", "agent-worker", "agent-main")
BOARD_ROLES = ("agent", "agent-lead", "agent-worker")
LEAD = ("agent", "agent-lead")
MAIN = ("agent", "agent-main")

LEAD_ONLY = ErrorCode.LEAD_ONLY.detail()
WORKER_ONLY = ErrorCode.WORKER_ONLY.detail()


def hints(
    intent: str,
    actor: str,
    *,
    use: str,
    avoid: str,
    needs: str = "A valid agent token.",
    effects: str = "Nothing changes.",
    never: str,
    route: str,
    example: str,
) -> Hints:
    """Return the published hints of one agent operation, each given as one sentence."""
    privilege = {"any_agent": "any_agent", "board_lead": "board_lead", "agent_main": "gateway_main"}[actor]
    examples: list[dict[str, Any]] = [
        {"input": {"intent": example, "required_privilege": privilege}, "decision": intent}
    ]
    return Hints(intent, [use], [avoid], actor, [needs], [effects], [never], [route], examples)
