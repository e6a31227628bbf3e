"""Agents over HTTP for people: their fields, tokens, souls, work states, notices, callbacks, usage and budgets."""

from collections.abc import Mapping
from uuid import UUID

from quart import Response, current_app

from mission_control.agents import commands, inbox, notices, schemas, tokens
from mission_control.agents.commands import list_souls
from mission_control.agents.inbox import check_url
from mission_control.agents.models import Agent, AgentSoul, Budget, ModelPrice
from mission_control.agents.queries import agent_named, own_agent, stream_of_agents, visible_agent, visible_agents
from mission_control.agents.queries import list_agents as agents_page
from mission_control.agents.usage import budgets, prices
from mission_control.agents.usage import queries as usage_queries
from mission_control.agents.usage import schemas as usage_schemas
from mission_control.agents.usage.queries import usage_page
from mission_control.agents.work_state import directive_of, set_agent_state
from mission_control.background.sending import retry
from mission_control.boards.queries import visible_board, visible_board_here
from mission_control.core.actor import Actor, require
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound, existing
from mission_control.core.values import (
    OK,
    HTTPValidationError,
    JsonObject,
    LLMErrorResponse,
    OkResponse,
    Page,
    Paging,
    page,
    page_of,
)
from mission_control.events.leases import Delivery
from mission_control.http.operation_api import Api, hints
from mission_control.http.registry import ALL_ROLES, lookup
from mission_control.people.accounts.credentials import NewToken
from mission_control.people.models import Token
from mission_control.people.organizations.work_state import WorkStateChange

api = Api(__name__, "agents")


def _refuse_status(actor: Actor, agent: Agent, sent: Mapping[str, object]) -> None:
    if "status" in sent:
        raise Forbidden("An agent's status comes from its heartbeats.")


@api.get("/agents", Page[schemas.AgentRead], rule="agent.manage")
async def list_agents(actor: Actor, query: schemas.AgentQuery) -> JsonObject:
    """List agents, newest first."""
    agents, total = await agents_page(actor, query)
    return page([schemas.AgentRead.of(agent) for agent in agents], total, query)


@api.get("/agents/stream", rule="agent.manage", is_stream=True)
async def stream_agents(actor: Actor, query: schemas.AgentStreamQuery) -> Response:
    """Follow agents as they change, come and go.

    A message carries the agent as it is when the message is sent. For a deleted agent it says only that:
    `agent` is null, and `deleted_agent_id` names it.
    """
    if query.board_id is not None:
        await visible_board_here(actor, query.board_id)
    return await stream_of_agents(actor, query.board_id)


@api.post("/agents", who="actor", rule="agent.create")
async def create_agent(actor: Actor, data: schemas.AgentCreate) -> schemas.AgentCreated:
    """Make an agent, on the board's gateway unless `gateway_id` says otherwise.

    With `gateway_id: null`, or on a board without a gateway, it is a direct agent: the answer holds its token, this
    once. On a gateway it is created in the background; its status says how far that is.
    """
    board_id = data.board_id or actor.board_id
    if board_id is None:
        raise Invalid("board_id is needed: an agent works on a board.")
    agent, token = await commands.create_agent(actor, await visible_board(actor, board_id), data)
    return schemas.AgentCreated.of(agent, token=token)


@api.get("/agents/<agent_id>", rule="agent.read")
async def get_agent(actor: Actor, agent: Agent) -> schemas.AgentRead:
    """Read an agent."""
    return schemas.AgentRead.of(agent)


@api.patch("/agents/<agent_id>", rule="agent.update", refuses=_refuse_status)
async def update_agent(
    actor: Actor, agent: Agent, data: schemas.AgentUpdate, query: schemas.ForceQuery
) -> schemas.AgentRead:
    """Change an agent; its token and its session stay.

    An agent on a gateway is updated there in the background; `force` does so without a change too, and has it start
    anew from its BOOTSTRAP.md.
    """
    _refuse_status(actor, agent, data.model_dump(exclude_unset=True))
    board = None
    if data.board_id is not None:
        board = await visible_board(actor, data.board_id)
        require(actor, "agent.create", board)
    elif "board_id" in data.model_fields_set and not data.is_gateway_main:
        raise Invalid("An agent works on a board: board_id cannot be null.")
    await commands.update_agent(actor, agent, data, board, force=query.force)
    return schemas.AgentRead.of(await visible_agent(actor, agent.id))


@api.post("/agents/<agent_id>/heartbeat", who="actor", rule="agent.heartbeat", tells_presence=True)
async def heartbeat_agent(actor: Actor, agent: Agent, data: schemas.AgentHeartbeat) -> schemas.AgentCheckedIn:
    """Report a sign of life of an agent; `directive` says whether it should continue, pause or stop."""
    agent = await commands.report_heartbeat(actor, agent, data.status)
    return schemas.AgentCheckedIn.of(agent, **(await directive_of(agent))._asdict())


@api.post("/agents/heartbeat", who="actor", tells_presence=True)
async def heartbeat_or_create_agent(
    actor: Actor, data: schemas.AgentHeartbeatCreate
) -> schemas.AgentCheckedInOrCreated:
    """Report a sign of life; a person's call makes the agent when there is none of that name."""
    found, token = (await own_agent(actor), None) if actor.is_agent else await _named_or_new(actor, data)
    agent = await commands.report_heartbeat(actor, found, data.status)
    return schemas.AgentCheckedInOrCreated.of(agent, token=token, **(await directive_of(agent))._asdict())


async def _named_or_new(actor: Actor, data: schemas.AgentHeartbeatCreate) -> tuple[Agent, str | None]:
    """The agent of exactly this name in the active organization, or a new one with its token."""
    if agent := await agent_named(actor, data.name, data.board_id):
        return agent, None
    require(actor, "agent.create")
    if data.board_id is None:
        raise Invalid("board_id is needed: there is no agent of this name yet.")
    board = await visible_board(actor, data.board_id)
    try:
        made, token = await commands.create_agent(actor, board, schemas.AgentCreate(name=data.name))
    except Conflict:
        if agent := await agent_named(actor, data.name, data.board_id):
            return agent, None  # somebody else made it at the same moment
        raise
    made.board = board
    return made, token


@api.delete("/agents/<agent_id>", rule="agent.manage")
async def delete_agent(actor: Actor, agent_id: UUID) -> OkResponse:
    """Delete an agent; its tasks return to the board. An unknown id is fine."""
    agent = await visible_agents(actor).select_related("board").get_or_none(id=agent_id)
    if agent is None:
        return OK
    if agent.organization_id != actor.organization_id:
        raise NotFound()
    await commands.delete_agent(actor, agent)
    return OK


@api.post("/agents/<agent_id>/tokens", rule="agent.manage_tokens")
async def create_agent_token(actor: Actor, agent: Agent, data: schemas.TokenCreate) -> schemas.TokenCreated:
    """Rotate an agent's token; the old one stays valid for `overlap_seconds` (0: it ends immediately)."""
    return _created(await tokens.rotate_token(actor, agent, data))


def _created(made: NewToken) -> schemas.TokenCreated:
    return schemas.TokenCreated(
        id=made.row.id,
        token=made.secret,
        prefix=made.row.prefix,
        expires_at=made.row.expires_at,
        replaced_until=made.replaced_until,
    )


@api.get("/agents/<agent_id>/tokens", Page[schemas.TokenRead], rule="agent.manage_tokens")
async def list_agent_tokens(actor: Actor, agent: Agent, query: Paging) -> JsonObject:
    """List an agent's tokens without their secrets, newest first."""
    newest_first = await Token.filter(agent_id=agent.id).order_by("-created_at")
    return page_of([schemas.TokenRead.of(token) for token in newest_first], query)


@lookup
async def agent_token(actor: Actor, agent_id: UUID, token_id: UUID) -> tuple[Agent, Token]:
    """A token of an agent that exists for this actor (else NotFound) and whose tokens it manages (else Forbidden)."""
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.manage_tokens", agent)
    return agent, await existing(Token.get_or_none(id=token_id, agent_id=agent.id))


@api.get("/agents/<agent_id>/tokens/<token_id>")
async def get_agent_token(actor: Actor, found: tuple[Agent, Token]) -> schemas.TokenRead:
    """Read a token; its secret is shown once, where it is made."""
    return schemas.TokenRead.of(found[1])


@api.patch("/agents/<agent_id>/tokens/<token_id>")
async def update_agent_token(actor: Actor, found: tuple[Agent, Token], data: schemas.TokenUpdate) -> schemas.TokenRead:
    """Change what a live token may, when it ends, its budget of requests, or its name; the secret stays."""
    token = await tokens.change_token(actor, found[0], found[1].id, data)
    return schemas.TokenRead.of(token)


@api.delete("/agents/<agent_id>/tokens/<token_id>")
async def revoke_agent_token(actor: Actor, found: tuple[Agent, Token]) -> OkResponse:
    """Revoke a token at once."""
    await tokens.revoke_token(actor, found[0], found[1].id)
    return OK


@api.post(
    "/agent/tokens/rotations",
    find=own_agent,
    rule="agent.renew_token",
    errors={409: LLMErrorResponse, 422: HTTPValidationError},
    hints=hints(
        "agent_token_renewal",
        roles=ALL_ROLES,
        use="Before your token expires (token_expires_at of the health check), or when it may have been seen.",
        avoid="Not after a 401: a token that has ended cannot be renewed; ask a person for a new one.",
        needs="Your newest token, with the scope work.",
        effects="You get a token with the same powers and lifetime; the old one ends after overlap_seconds.",
        never="Do not throw the answer away: the new token is shown once. Send an Idempotency-Key to ask again.",
        route="Keep the new token where you keep the old one, then go on with it.",
        example="my token ends tomorrow, get the next one",
    ),
)
async def renew_own_token(actor: Actor, agent: Agent, data: schemas.TokenRenewal) -> schemas.TokenCreated:
    """Get the successor of your own token; the old one stays valid for `overlap_seconds` (0: it ends immediately)."""
    return _created(await tokens.renew_token(actor, agent, data.overlap_seconds))


@api.put("/agents/<agent_id>/work-state", rule="agent.set_work_state")
async def set_agent_work_state(actor: Actor, agent: Agent, data: WorkStateChange) -> schemas.AgentRead:
    """Pause, stop or resume an agent; needs the right to write on its board.

    Paused: no claims and no moves to in progress. Stopped: also, what it has in progress goes back to the inbox.
    """
    return schemas.AgentRead.of(await set_agent_state(actor, agent, data))


@api.get("/agents/<agent_id>/souls", Page[schemas.SoulRead], rule="agent.read")
async def list_agent_souls(actor: Actor, agent: Agent, query: Paging) -> JsonObject:
    """List what an agent's soul is and was, newest first, with who wrote it and why."""
    return page(*await list_souls(agent, query), query)


@api.put("/agents/<agent_id>/soul", rule="agent.update")
async def update_agent_soul(actor: Actor, agent: Agent, data: schemas.AgentSoulUpdate) -> schemas.AgentRead:
    """Give an agent another soul, or none. The text before stays in its history, and the agent is notified."""
    sent = schemas.AgentUpdate.model_construct(soul_template=data.content)
    return schemas.AgentRead.of(await commands.update_agent(actor, agent, sent, soul_reason=data.reason))


async def soul_of_agent(actor: Actor, agent_id: UUID, soul_id: UUID) -> tuple[Agent, AgentSoul]:
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.update", agent)
    return agent, await existing(AgentSoul.get_or_none(id=soul_id, agent_id=agent.id))


@api.post("/agents/<agent_id>/souls/<soul_id>/restorations", find=soul_of_agent)
async def restore_agent_soul(actor: Actor, found: tuple[Agent, AgentSoul]) -> schemas.AgentRead:
    """Give an agent a soul from its history again."""
    agent, soul = found
    reason = f"Back to the text of {soul.created_at:%Y-%m-%d %H:%M} UTC."
    sent = schemas.AgentUpdate.model_construct(soul_template=soul.content or None)
    return schemas.AgentRead.of(await commands.update_agent(actor, agent, sent, soul_reason=reason))


@api.get("/agents/<agent_id>/deliveries", Page[notices.DeliveryRead], rule="agent.read")
async def list_agent_deliveries(actor: Actor, agent: Agent, query: notices.DeliveryQuery) -> JsonObject:
    """List an agent's notices and what became of them, newest first."""
    deliveries, total = await notices.deliveries_of(actor, agent, query, query.state)
    return page([notices.DeliveryRead.of(delivery) for delivery in deliveries], total, query)


@api.post("/agents/<agent_id>/deliveries/<delivery_id>/resends", find=notices.visible_delivery, rule="delivery.resend")
async def resend_agent_delivery(actor: Actor, delivery: Delivery) -> notices.DeliveryRead:
    """Send a notice that was given up once more, at once."""
    return notices.DeliveryRead.of(await retry(actor, delivery))


@api.get("/agents/<agent_id>/callback", rule="agent.read")
async def get_agent_callback(actor: Actor, agent: Agent) -> notices.CallbackRead:
    """Read where an agent's notices are sent and how that goes; never the secret."""
    return await notices.callback_state(agent.id)


@api.put("/agents/<agent_id>/callback", rule="agent.set_callback")
async def set_agent_callback(actor: Actor, agent: Agent, data: notices.CallbackSet) -> notices.CallbackSecret:
    """Send an agent's notices to an address. The answer holds the secret, this once.

    Each notice is a POST whose JSON is one item of the inbox, signed as Standard Webhooks are
    (https://www.standardwebhooks.com): `webhook-id` (the same for every try), `webhook-timestamp` and
    `webhook-signature`. Check them with one of that standard's libraries and the secret. Any 2xx within ten seconds
    takes the notice out of the inbox; 410 removes the callback; everything else is tried again, six times in all, and
    stays in the inbox. Redirects are not followed. The notices of one agent come in order.
    """
    check_url(data.url, allow_private=current_app.config["SETTINGS"].outbound_allow_private)
    secret = await inbox.set_callback(actor, agent, data.url, data.secret, current_app.config["SECRET_KEY"])
    state = await notices.callback_state(agent.id)
    return notices.CallbackSecret(**state.model_dump(), secret=secret)


@api.delete("/agents/<agent_id>/callback", rule="agent.set_callback")
async def remove_agent_callback(actor: Actor, agent: Agent) -> OkResponse:
    """Send an agent's notices nowhere; it reads them in its inbox. Without a callback nothing happens."""
    await inbox.remove_callback(actor, agent)
    return OK


usage_api = Api(__name__, "metrics")


@usage_api.get("/usage", rule="usage.read")
async def read_usage(actor: Actor, query: usage_schemas.UsageQuery) -> usage_schemas.UsagePage:
    """Sum up what agents used up, by day, agent and board.

    Days are those of UTC. Money is in US dollars, as agents and gateways tell it, or by the price of the model; of an
    agent on a gateway the larger figure counts.
    """
    return await usage_page(actor, query)


@usage_api.get("/usage/shares", rule="usage.read")
async def read_usage_shares(actor: Actor, query: usage_schemas.ShareQuery) -> usage_schemas.UsageShares:
    """Sum up what was used up by each agent, board, task, model or person, the most expensive first.

    `cost_usd` is what is known: as it was told, by your own prices, or by the price list. Where `unpriced_tokens` is
    more than 0, the cost of these is not in it. A person is whose program the session was.
    """
    return await usage_queries.usage_shares(actor, query)


@usage_api.get("/prices", Page[prices.PriceRead], rule="usage.read")
async def list_prices(actor: Actor, query: prices.PriceQuery) -> JsonObject:
    """List what models cost: your own prices, then those of the list that comes with the program.

    Usage that is told without a cost gets it by the price of its model on that day: your own before that of the list.
    What was counted stays as it is.
    """
    listed = await prices.list_prices(actor, query.model)
    return page(listed[query.offset : query.offset + query.limit], len(listed), query)


@usage_api.post("/prices", rule="price.manage")
async def create_price(actor: Actor, data: prices.PriceCreate) -> prices.PriceRead:
    """Set your own price of a model, since a day; it comes before the list's."""
    return await prices.create_price(actor, actor.organization_id, data)


@usage_api.delete("/prices/<price_id>", rule="price.manage")
async def delete_price(actor: Actor, price: ModelPrice) -> OkResponse:
    """Delete a price of your own."""
    await prices.delete_price(actor, price)
    return OK


@usage_api.get("/budgets", Page[usage_schemas.BudgetRead], rule="budget.manage")
async def list_budgets(actor: Actor, query: Paging) -> JsonObject:
    """List the budgets of the active organization with what is used of them: its own, the boards', the agents'."""
    return page(*await usage_queries.list_budgets(actor, query), query)


@usage_api.post("/budgets", rule="budget.manage")
async def create_budget(actor: Actor, data: usage_schemas.BudgetCreate) -> usage_schemas.BudgetRead:
    """Limit what an agent, a board or the organization may use up.

    The limit is in tokens, input and output together, or in US dollars, for each day of UTC or in total. At four
    fifths the agents are warned; at the limit heartbeats say stop and claims are refused. There is one budget for each
    subject, unit and period.
    """
    made = await budgets.create_budget(actor, actor.organization_id, data)
    return await usage_queries.budget_read(actor, made.id)


@usage_api.get("/budgets/<budget_id>", rule="budget.manage")
async def get_budget(actor: Actor, budget: Budget) -> usage_schemas.BudgetRead:
    """Read a budget with what is used of it."""
    return await usage_queries.budget_read(actor, budget.id)


@usage_api.patch("/budgets/<budget_id>", rule="budget.manage")
async def update_budget(actor: Actor, budget: Budget, data: usage_schemas.BudgetUpdate) -> usage_schemas.BudgetRead:
    """Give a budget another limit; agents that waited for it may go on."""
    await budgets.change_limit(actor, budget, data.limit)
    return await usage_queries.budget_read(actor, budget.id)


@usage_api.delete("/budgets/<budget_id>", rule="budget.manage")
async def delete_budget(actor: Actor, budget: Budget) -> OkResponse:
    """Lift a limit."""
    await budgets.delete_budget(actor, budget)
    return OK
