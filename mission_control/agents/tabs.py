"""The tabs of an agent's page: overview, inbox (with the callback), soul, tokens, usage; first steps of a new agent."""

import re
from dataclasses import dataclass
from functools import partial
from typing import get_args
from uuid import UUID

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from mission_control.agents.commands import list_souls
from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES, CallbackSet, State, callback_state, deliveries_of
from mission_control.agents.page_frame import (
    AGENT,
    AGENT_PAGE,
    PAGE,
    SIGNALS,
    Viewed,
    changes_agent,
    concerns,
    on_agent,
)
from mission_control.agents.queries import visible_agents
from mission_control.agents.roster import MAX_TASKS
from mission_control.agents.schemas import state_of
from mission_control.agents.usage.queries import concerned, days_of, sums_of_agent, windows_of_agent
from mission_control.agents.usage.schemas import BudgetState
from mission_control.approvals.payloads import heading
from mission_control.core.actor import Actor, can
from mission_control.core.amounts import WORDS
from mission_control.core.errors import NotFound
from mission_control.core.limits import granted
from mission_control.core.values import JsonObject, Paging
from mission_control.database.sql import as_id, as_moment, placeholders, rows
from mission_control.events.leases import Delivery
from mission_control.gateways.models import Gateway
from mission_control.people.models import Token
from mission_control.web.actions import Outcome
from mission_control.web.forms import done
from mission_control.web.fragments import PageContext, read_ahead, render_block, render_macro
from mission_control.web.regions import Concerns, Reads, Region, View, live_page
from mission_control.web.tabs import FormPage, Tab

TEMPLATE = "agents/overview.html"


async def render(viewed: Viewed) -> str:
    """The tab: what the agent has in progress, with the ends of leases, and in review; and how much comes next."""
    agent, moments = viewed.agent, ("in_progress_at", "lease_expires_at")
    tags = await tags_named(agent.organization_id, agent.claim_tags or [])
    work = await rows(
        "SELECT t.id, t.number, t.title, t.status, t.board_id, t.in_progress_at, r.lease_expires_at, r.fence"
        " FROM tasks t LEFT JOIN task_runs r ON r.task_id = t.id AND r.ended_at IS NULL"
        " WHERE t.deleted_at IS NULL AND t.archived_at IS NULL AND t.assigned_agent_id = ?"
        " AND t.status IN ('in_progress', 'review')"
        f" ORDER BY CASE t.status WHEN 'in_progress' THEN 0 ELSE 1 END, t.updated_at DESC, t.id LIMIT {MAX_TASKS}",
        agent.id,
    )
    tasks = [row | {name: as_moment(row[name]) for name in moments} for row in work]
    [begun] = await rows(
        "SELECT COUNT(*) AS n FROM tasks WHERE deleted_at IS NULL AND archived_at IS NULL AND assigned_agent_id = ?"
        " AND status = 'inbox'",
        agent.id,
    )
    context = {"tags": tags, "cards": await AGENT_PAGE.cards(viewed), "tasks": tasks, "next_ones": int(begun["n"])}
    return render_macro(TEMPLATE, "tab", viewed=viewed, **context)


async def tags_named(organization_id: UUID, slugs: list[str]) -> list[PageContext]:
    """Return tags by their slugs; a deleted one has its slug as its name, and no colour."""
    if not slugs:
        return []
    tags = await rows(
        f"SELECT slug, name, color FROM tags WHERE organization_id = ? AND slug IN ({placeholders(len(slugs))})",
        organization_id,
        *slugs,
    )
    by_slug = {row["slug"]: row for row in tags}
    return [by_slug.get(slug, {"slug": slug, "name": slug, "color": None}) for slug in slugs]


async def tag_choices(organization_id: UUID, chosen: list[str]) -> list[PageContext]:
    """Return all tags of the organization by name, after chosen ones that were deleted."""
    tags = await rows(
        "SELECT slug, name, color FROM tags WHERE organization_id = ? ORDER BY LOWER(name), slug LIMIT 200",
        organization_id,
    )
    live = {row["slug"] for row in tags}
    return [tag for tag in await tags_named(organization_id, chosen) if tag["slug"] not in live] + tags


TAB = Tab(AGENT_PAGE, "overview", "Overview", render)


async def soul_render(viewed: Viewed) -> str:
    souls, total = await list_souls(viewed.agent, Paging(limit=PAGE, offset=viewed.offset))
    await read_ahead(viewed.agent.soul_template, viewed.agent.identity_template, *(soul.content for soul in souls))
    return render_macro("agents/soul.html", "tab", viewed=viewed, souls=souls, total=total)


SOUL_TAB = Tab(AGENT_PAGE, "soul", "Soul", soul_render)


TOKEN_TEMPLATE = "agents/tokens.html"
MAX_ENDED = 50
MAY = {
    "all": "Everything", "lead": "Reads, works and leads", "work": "Reads and works", "read": "Only reads",
    "connect": "Only reports sessions",
}  # fmt: skip


async def token_render(viewed: Viewed) -> str:
    return render_macro(TOKEN_TEMPLATE, "tab", viewed=viewed, **await _tokens(viewed))


async def token_card(viewed: Viewed) -> str:
    return render_macro(TOKEN_TEMPLATE, "card", viewed=viewed, live=(await _tokens(viewed))["live"])


async def _tokens(viewed: Viewed) -> dict[str, list[PageContext]]:
    """Return the live tokens and those that ended last, both newest first.

    All live ones but the newest were replaced, and are valid until their overlap ends; those of connections live apart.
    """
    newest = await Token.filter(agent_id=viewed.id).order_by("-created_at", "-id").limit(200)
    tokens: dict[str, list[PageContext]] = {"live": [], "ended": []}
    for token in newest:
        state, may = state_of(token), MAY[power_of(token.scopes)]
        kind = tokens["live" if state in ("active", "expiring") else "ended"]
        own = [token for token in kind if token["row"].connection_id is None]
        is_replaced = kind is tokens["live"] and bool(own) and token.connection_id is None
        kind.append({"row": token, "state": state, "may": may, "is_replaced": is_replaced})
    return tokens | {"ended": tokens["ended"][:MAX_ENDED]}


def power_of(scopes: list[str] | None) -> str:
    """The most that scopes grant: `all`, `lead`, `work`, `read` or `connect`."""
    whole = granted(scopes)
    return "all" if whole is None else next((power for power in ("lead", "work", "read") if power in whole), "connect")


TOKEN_TAB = Tab(AGENT_PAGE, "tokens", "Tokens", token_render, token_card)


USAGE_TEMPLATE = "agents/usage.html"
DAYS = 14
ORDER = ("agent", "board", "organization")


async def usage_render(viewed: Viewed) -> str:
    return render_macro(
        USAGE_TEMPLATE,
        "tab",
        viewed=viewed,
        sums=await sums_of_agent(viewed.id),
        words=WORDS,
        days=await days_of(viewed.id, DAYS),
        budgets=await _budgets(viewed),
        windows=await windows_of_agent(viewed.id),
    )


async def usage_card(viewed: Viewed) -> str:
    used, budgets = (await sums_of_agent(viewed.id)).today, await _budgets(viewed)
    return render_macro(USAGE_TEMPLATE, "card", viewed=viewed, used=used, words=WORDS, budgets=budgets)


class OwnedBudget(BudgetState):
    """A budget with the name of its owner."""

    agent_name: str | None = None
    board_name: str | None = None


async def _budgets(viewed: Viewed) -> list[OwnedBudget]:
    agent = viewed.agent
    budgets = await concerned(agent.id, agent.board_id, agent.organization_id).order_by("created_at", "id")
    board_name = agent.board.name if agent.board else None
    names: dict[str, dict[str, str | None]] = {"agent": {"agent_name": agent.name}, "board": {"board_name": board_name}}
    budgets.sort(key=lambda budget: ORDER.index(budget.subject))
    return [OwnedBudget.of(budget, **names.get(budget.subject, {})) for budget in budgets]


USAGE_TAB = Tab(AGENT_PAGE, "usage", "Usage", usage_render, usage_card)


STEPS, FIRST_STEPS_TEMPLATE = "first steps", "agents/token.html"


async def context_of(agent: Agent) -> JsonObject:
    """Return the task for the first steps, its own, else the board's first that is not assigned; and what is done."""
    [made] = await rows(
        "SELECT (SELECT id FROM tasks WHERE deleted_at IS NULL AND board_id = a.board_id AND ((status = 'in_progress'"
        " AND assigned_agent_id = a.id) OR (status = 'inbox' AND assigned_agent_id IS NULL AND assigned_user_id IS"
        " NULL) OR id IN (SELECT task_id FROM task_runs WHERE agent_id = a.id)) ORDER BY CASE status"
        " WHEN 'in_progress' THEN 0 WHEN 'review' THEN 1 WHEN 'done' THEN 2 ELSE 3 END, created_at LIMIT 1) AS task_id,"
        " EXISTS (SELECT 1 FROM task_runs WHERE agent_id = a.id) AS has_worked,"
        " EXISTS (SELECT 1 FROM approvals WHERE agent_id = a.id) OR EXISTS (SELECT 1 FROM task_runs WHERE"
        " agent_id = a.id AND state = 'completed') AS has_handed_in FROM agents a WHERE a.id = ?",
        agent.id,
    )
    steps = {
        1: agent.last_seen_at is not None,
        2: made["has_worked"] or made["has_handed_in"],
        3: made["has_handed_in"],
    }
    return {"task_id": made["task_id"], "steps": steps}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsView(View):
    """The first steps of an agent as somebody sees them."""

    agent: Agent

    async def context(self) -> JsonObject:
        return await self.reads.get(("first steps", self.agent.id), lambda: context_of(self.agent))


async def stream(actor: Actor, agent: Agent) -> Response:

    async def look(viewer: Actor, reads: Reads) -> StepsView | None:
        seen = await visible_agents(viewer).select_related("board").get_or_none(id=agent.id)
        if seen is None or not can(viewer, "agent.read", seen):
            return None
        return StepsView(actor=viewer, pages=(STEPS,), active="agents", reads=reads, agent=seen)

    return await live_page(actor, look)


NEWS = Concerns[StepsView](("",), SIGNALS, lambda view, news: concerns(view.agent, news))


async def _first_task_id(view: StepsView) -> str:
    return str((await view.context())["task_id"] or "TASK_ID")


async def _first_task(view: StepsView) -> str:
    return await render_block(FIRST_STEPS_TEMPLATE, "first_task", agent=view.agent, **await view.context())


async def _mark(number: int, view: StepsView) -> str:
    return render_macro("agents/tokens.html", "step_mark", is_made=(await view.context())["steps"][number])


REGIONS: tuple[Region[StepsView], ...] = (
    Region(STEPS, "[data-first-task]", NEWS, _first_task_id, swap="innerHTML"),
    *(Region(STEPS, f"#step-{step}", NEWS, partial(_mark, step), swap="innerHTML") for step in (1, 2, 3)),
    Region(STEPS, "#first-task", NEWS, _first_task),
)


INBOX_TEMPLATE = "agents/inbox/agent.html"
CARD_LINES = 3
STATES = get_args(State)
DECIDED = {"approved": "Approved", "rejected": "Rejected", "changes_requested": "Sent back", "closed": "Closed"}


async def inbox_render(viewed: Viewed) -> str:
    state = viewed.args.get("state", "")
    state = state if state in STATES else ""
    paging = Paging(limit=PAGE, offset=viewed.offset)
    notices, total = await deliveries_of(viewed.actor, viewed.agent, paging, state or None)
    return render_macro(
        INBOX_TEMPLATE,
        "tab",
        viewed=viewed,
        notices=notices,
        titles=await _titles(notices),
        total=total,
        state=state,
        callback=await callback_state(viewed.id),
        gateway=await Gateway.get_or_none(id=viewed.agent.gateway_id) if viewed.agent.gateway_id else None,
    )


async def inbox_card(viewed: Viewed) -> str:
    notices, total = await deliveries_of(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    titles = await _titles(notices)
    return render_macro(INBOX_TEMPLATE, "card", viewed=viewed, notices=notices, titles=titles, total=total)


async def _titles(notices: list[Delivery]) -> dict[UUID, str]:
    ids = list({notice.task_id for notice in notices if notice.task_id})
    sql = f"SELECT id, number, title FROM tasks WHERE id IN ({placeholders(len(ids))})"
    tasks = {as_id(row["id"]): (int(row["number"]), row["title"]) for row in await rows(sql, *ids)} if ids else {}
    return {notice.id: _title(notice, tasks.get(notice.task_id)) for notice in notices}


def _title(notice: Delivery, task: tuple[int, str] | None) -> str:
    """A header in capitals is a word for programs."""
    decision = DECIDED.get(str(notice.data.get("decision")))
    if NOTICES.get(notice.header) == "decision" and decision:
        action = re.search(r"^Action: (.*)$", notice.text, re.MULTILINE)
        return f"{decision}: {heading(action[1] if action else 'decision', [task] if task else [])}"
    title = notice.header.capitalize() if notice.header.isupper() else notice.header
    return f"{title}: #{task[0]} {task[1]}" if task else title


INBOX_TAB = Tab(AGENT_PAGE, "inbox", "Inbox", inbox_render, inbox_card)


async def _address(agent: Agent, ids: object) -> PageContext:
    return {"url": (await callback_state(agent.id)).url}


async def _to_remove(actor: Actor, agent: Agent, ids: object) -> PageContext:
    state = await callback_state(agent.id)
    if state.url is None:
        raise NotFound("The callback was removed already.")
    return {"name": agent.name, "address": state.url}


pages = Blueprint("inbox_pages", __name__)
_form = partial(
    FormPage, pages=pages, find=partial(on_agent, verb="agent.set_callback"), template="agents/inbox/callback.html",
    back=("inbox", "the inbox"),
)  # fmt: skip
CALLBACK = _form(
    path=f"{AGENT}/callback", title="Send its notices to", macro="callback_form", values=_address,
    labels={"url": "Address", "secret": "Secret"},
)  # fmt: skip
REMOVAL = _form(
    path=f"{AGENT}/callback/removal", title="Remove the callback?", macro="removal_form", context=_to_remove
)


@changes_agent(pages, f"{AGENT}/deliveries/<uuid:delivery_id>/resends")
async def resend_agent_delivery(outcome: Outcome[Delivery, None]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.page.id}/inbox", toast="On its way again")


@changes_agent(pages, CALLBACK.path, refused=CALLBACK.refused)
async def set_agent_callback(outcome: Outcome[Agent, CallbackSet]) -> ResponseReturnValue:
    """Send an agent's notices to an address, and show the secret once."""
    made = outcome.answer
    return await CALLBACK.instead(outcome, "new_secret", name=outcome.found.name, secret=made.secret, url=made.url)


@changes_agent(pages, REMOVAL.path)
async def remove_agent_callback(outcome: Outcome[Agent, None]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.found.id}/inbox", toast="Callback removed")
