"""Hints for agents about which operation to choose."""

from typing import Any

from mission_control.operations.registry import Hints

ALL_ROLES = ("agent", "agent-lead", "agent-worker", "agent-main")
BOARD_ROLES = ("agent", "agent-lead", "agent-worker")
LEAD = ("agent", "agent-lead")
MAIN = ("agent", "agent-main")

LEAD_ONLY = {"message": "Only the lead of the board may do this.", "code": "lead_only"}
WORKER_ONLY = {"message": "Only workers may do this; a lead assigns work.", "code": "worker_only"}


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
