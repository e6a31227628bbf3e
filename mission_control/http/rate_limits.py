"""Tell programs with every answer how many requests their token has left."""

from quart import g
from quart.typing import ResponseTypes

from mission_control.config import Settings
from mission_control.core import limits


def set_budgets(settings: Settings) -> None:
    """Set the usual budgets of requests."""
    limits.agent_requests.per_minute = settings.agent_requests_per_minute
    limits.person_requests.per_minute = settings.person_requests_per_minute


def add_allowance(response: ResponseTypes) -> None:
    """Add `RateLimit-*` to the answer of a request that spent of a budget."""
    if (allowance := g.get("allowance")) is not None:
        response.headers.update(allowance.headers())
