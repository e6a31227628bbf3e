"""Agents as pages: the list, making one, and everything about one."""

from dataclasses import dataclass, replace
from uuid import UUID

from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.agents import first_steps, page_frame, roster
from mission_control.agents.forms import LABELS, PACES, NewAgentForm
from mission_control.agents.models import Agent
from mission_control.agents.page_frame import agent_of_page, on_agent
from mission_control.agents.queries import reachable_agent
from mission_control.agents.token_pages import base_url
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict
from mission_control.core.policy import can, require
from mission_control.gateways.queries import gateway_names
from mission_control.live.broker import head_of
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest, order_asked
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import shell_page, signed_in

pages = Pages("agents_pages", __name__)
# What asks for a person stands first, what nobody waits for last.
STATES = (
    "error", "waiting", "gateway_away", "updating", "working", "online", "idle", "provisioning", "offline", "unneeded",
)  # fmt: skip
NOT_ONLINE = ("offline", "gateway_away", "provisioning", "unneeded")
ORDERS = {
    "name": Order("by name"),
    "state": Order("by state", lambda line: STATES.index(line.status)),
    "seen": greatest("last seen", lambda line: (line.last_seen_at is not None, line.last_seen_at)),
    "tokens": greatest("most tokens today", lambda line: line.tokens_today),
}


@dataclass(frozen=True, slots=True)
class Wanted(Asked):
    """What the list is asked for; `base` is the address at which agents find the server."""

    base: str

    @classmethod
    def here(cls) -> "Wanted":
        """Read the request."""
        return cls(order_asked(ORDERS), 0, base_url())


async def _listed(actor: Actor, asked: Wanted) -> dict[str, object]:
    order = ORDERS[asked.order]
    groups = [replace(one, lines=order.sorted(one.lines)) for one in await roster.roster_by_board(actor)]
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in NOT_ONLINE for line in lines)
    return {"groups": groups, "total": len(lines), "online": online, "base": asked.base}


LiveList(
    pages=pages, place="agents", path="/agents", template="agents/index.html", read=_listed, orders=ORDERS,
    asks=Wanted.here, verb="agent.manage", instead="agents/members.html", blocks=("agents", "agents_summary"),
    # Any event may notify an agent, and so change how many notices wait for it.
    news=Concerns[View](("",), ("agent_id", "inbox_of", "usage")),
)  # fmt: skip


async def _admin() -> Actor:
    actor = await signed_in()
    require(actor, "agent.manage")
    return actor


@pages.get("/agents/new")
async def new_agent() -> ResponseReturnValue:
    """Show the form of a new agent."""
    actor = await _admin()
    return await _new_page(actor, {"board_id": request.args.get("board", "")}, {})


async def _not_created(refusal: Refusal[None, NewAgentForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Conflict)
    return await _new_page(refusal.actor, refusal.values, refusal.errors)


@action(pages, "POST", "/agents/new", performs="create_agent", form=NewAgentForm, refused=_not_created)
async def create(outcome: Outcome[None, NewAgentForm]) -> ResponseReturnValue:
    """Create an agent: show how it is set up on its gateway, or its token, once."""
    agent = await reachable_agent(outcome.actor, outcome.answer.id)
    if outcome.answer.token is None:
        return go(f"/agents/{agent.id}/gateway")
    return await _token_page(outcome.actor, agent, outcome.answer.token)


async def _new_page(actor: Actor, values: Fields, errors: dict[str, str]) -> str:
    boards = [board for board in await boards_of(actor) if can(actor, "agent.create", board)]
    gateways = await gateway_names([board.gateway_id for board in boards if board.gateway_id is not None])
    context: dict[str, object] = {"errors": errors, "labels": LABELS, "boards": boards, "gateways": gateways}
    context |= {"paces": PACES, "values": {"every": "10m", **values}}
    return await shell_page(actor, "agents/new.html", active="agents", **context)


async def _token_page(actor: Actor, agent: Agent, secret: str) -> str:
    live_url = f"/agents/{agent.id}/live?show=steps&after={await head_of(agent.organization_id)}"
    context = await first_steps.context_of(agent)
    context |= {"agent": agent, "secret": secret, "base": base_url(), "live_url": live_url}
    return await shell_page(actor, "agents/token.html", active="agents", **context)


@pages.get("/agents/<uuid:agent_id>")
async def one_agent(agent_id: UUID) -> str:
    """Show what one agent does now."""
    return await page_frame.tab_page(agent_id, "overview")


@pages.get("/agents/<uuid:agent_id>/<any(inbox, runs, usage, soul, activity, session, gateway):tab>")
async def tab_of_agent(agent_id: UUID, tab: str) -> str:
    """Show one of the other tabs of an agent."""
    return await page_frame.tab_page(agent_id, tab)


@pages.get("/agents/<uuid:agent_id>/live")
async def one_live(agent_id: UUID) -> Response:
    """Keep one agent's page, or its first steps, live."""
    if request.args.get("show") == "steps":
        return await first_steps.stream(*await on_agent(agent_id))
    return await page_frame.page_stream_of(agent_id)


@pages.get("/agents/<uuid:agent_id>/delete")
async def delete_form(agent_id: UUID) -> str:
    """Ask before an agent is deleted, and name the consequences: a dialog for htmx, else a page."""
    actor, agent = await on_agent(agent_id, "agent.delete")
    open_tasks = [task for task in await roster.tasks_of(agent) if task.status != "done"]
    context: dict[str, object] = {"agent": agent, "tasks": open_tasks}
    if is_htmx():
        return render_macro("agents/forms.html", "delete_dialog", **context)
    return await shell_page(actor, "agents/delete.html", active="agents", **context)


@action(pages, "POST", "/agents/<uuid:agent_id>/deletions", performs="delete_agent", at=agent_of_page)
async def delete(outcome: Outcome[None, None]) -> ResponseReturnValue:
    """Delete an agent."""
    return go("/agents")
