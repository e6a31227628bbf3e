"""Tell programs with every answer how many requests their token has left."""

from quart import Quart, g
from quart.typing import ResponseTypes

from mission_control.config import Settings
from mission_control.core import limits


def install(app: Quart, settings: Settings) -> None:
    """Set the usual budgets, and add `RateLimit-*` to the answers of requests that spent of one."""
    limits.agent_requests.per_minute = settings.agent_requests_per_minute
    limits.person_requests.per_minute = settings.person_requests_per_minute

    async def tell(response: ResponseTypes) -> ResponseTypes:
        if (allowance := g.get("allowance")) is not None:
            response.headers.update(allowance.headers())
        return response

    app.after_request(tell)
