"""Inboxes and callbacks over HTTP, for people and for agents."""

from quart import current_app

from mission_control.agents import receiving
from mission_control.agents.models import Agent
from mission_control.agents.notices import (
    CallbackRead,
    CallbackSecret,
    CallbackSet,
    DeliveryQuery,
    DeliveryRead,
    Inbox,
    InboxQuery,
    callback_state,
    deliveries_of,
    delivery_read,
    row_of,
    visible_delivery,
)
from mission_control.agents.receiving import check_url
from mission_control.core.actor import Actor
from mission_control.core.values import OK, HTTPValidationError, OkResponse, Page, page
from mission_control.http.operation_api import ALL_ROLES, Api, hints
from mission_control.log.leases import Delivery
from mission_control.work.loop import retry

api = Api(__name__, "agents", below="/agents/<agent_id>")


@api.get("/deliveries", Page[DeliveryRead], rule="agent.read")
async def list_agent_deliveries(actor: Actor, agent: Agent, query: DeliveryQuery) -> dict[str, object]:
    """List an agent's notices and what became of them, newest first."""
    items, total = await deliveries_of(actor, agent, query, query.state)
    return page(items, total, query)


@api.post("/deliveries/<delivery_id>/retries", DeliveryRead, find=visible_delivery, rule="delivery.retry")
async def retry_agent_delivery(actor: Actor, delivery: Delivery) -> dict[str, object]:
    """Send a notice that was given up once more, at once."""
    return delivery_read(row_of(await retry(actor, delivery)))


@api.get("/callback", rule="agent.read")
async def get_agent_callback(actor: Actor, agent: Agent) -> CallbackRead:
    """Read where an agent's notices are sent and how that goes; never the secret."""
    return await callback_state(agent.id)


@api.put("/callback", rule="agent.set_callback")
async def set_agent_callback(actor: Actor, agent: Agent, data: CallbackSet) -> CallbackSecret:
    """Send an agent's notices to an address. The answer holds the secret, this once.

    Each notice is a POST whose JSON is one item of the inbox, signed as Standard Webhooks are
    (https://www.standardwebhooks.com): `webhook-id` (the same for every try), `webhook-timestamp` and
    `webhook-signature`. Check them with one of that standard's libraries and the secret. Any 2xx within ten seconds
    takes the notice out of the inbox; 410 removes the callback; everything else is tried again, six times in all, and
    stays in the inbox. Redirects are not followed. The notices of one agent come in order.
    """
    check_url(data.url, allow_private=current_app.config["SETTINGS"].outbound_allow_private)
    secret = await receiving.set_callback(actor, agent, data.url, data.secret, current_app.config["SECRET_KEY"])
    state = await callback_state(agent.id)
    return CallbackSecret(**state.model_dump(), secret=secret)


@api.delete("/callback", rule="agent.set_callback")
async def remove_agent_callback(actor: Actor, agent: Agent) -> OkResponse:
    """Send an agent's notices nowhere; it reads them in its inbox. Without a callback nothing happens."""
    await receiving.remove_callback(actor, agent)
    return OK


agent_api = Api(__name__, below="/agent")


@agent_api.get(
    "/inbox",
    Inbox,
    rule="inbox.read",
    errors={422: HTTPValidationError},
    is_long_poll=True,
    hints=hints(
        "agent_inbox_read",
        roles=ALL_ROLES,
        use="In a loop with wait_seconds=50, to learn of assignments, mentions, comments, decisions and chat at once.",
        avoid="Not to read a task's comments or the chat's history; list those instead.",
        effects="Notices up to `after` are acknowledged and never given again; everything else is given again.",
        never="Do not send the `next` of an answer as `after` before you have dealt with its notices.",
        route="Start with after=0, then always with the `next` of the last answer.",
        example="wait until somebody wants something from me",
    ),
)
async def read_inbox(actor: Actor, query: InboxQuery) -> dict[str, object]:
    """Read your notices in order, and acknowledge those up to `after`.

    With `wait_seconds` the answer comes as soon as there is a notice, or empty after that time. What was not
    acknowledged is given again, also after a restart with `after=0`.
    """
    return await receiving.read_inbox(actor, query.after, query.limit, query.wait_seconds)
