"""An agent's notices and its callback on its page."""

import re
from typing import Any, get_args
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.notices import CallbackSet, State, callback_state, deliveries_of
from mission_control.agents.page_frame import DELETED, PAGE, FormPage, Tab, Viewed, agent_of_page, back_to, on_agent
from mission_control.approvals.payloads import heading
from mission_control.core.errors import NotFound
from mission_control.core.values import Paging
from mission_control.database.sql import as_id, as_moment, placeholders, rows
from mission_control.gateways.models import Gateway
from mission_control.log.leases import Delivery
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import render_macro

TEMPLATE = "inbox/agent.html"
CARD_LINES = 3
STATES = get_args(State)
DECIDED = {"approved": "Approved", "rejected": "Rejected", "changes_requested": "Sent back", "closed": "Closed"}


async def render(viewed: Viewed) -> str:
    """The tab: the notices, all or of one state, and the callback."""
    state = viewed.args.get("state", "")
    state = state if state in STATES else ""
    paging = Paging(limit=PAGE, offset=viewed.offset)
    found, total = await deliveries_of(viewed.actor, viewed.agent, paging, state or None)
    return render_macro(
        TEMPLATE,
        "tab",
        viewed=viewed,
        notices=await _titled(found),
        total=total,
        state=state,
        callback=await callback_state(viewed.id),
        gateway=await Gateway.get_or_none(id=viewed.agent.gateway_id) if viewed.agent.gateway_id else None,
    )


async def card(viewed: Viewed) -> str:
    """What the overview shows of it: the newest notices."""
    found, total = await deliveries_of(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(TEMPLATE, "card", viewed=viewed, notices=await _titled(found), total=total)


async def _titled(found: list[dict[str, object]]) -> list[dict[str, object]]:
    """Notices with moments as moments and a title that names the decision and the task."""
    ids = list({str(one["task_id"]) for one in found if one["task_id"]})
    tasks: dict[str, tuple[int, str]] = {}
    if ids:
        sql = f"SELECT id, number, title FROM tasks WHERE id IN ({placeholders(len(ids))})"
        tasks = {str(row["id"]): (int(row["number"]), row["title"]) for row in await rows(sql, *map(as_id, ids))}
    moments = ("created_at", "due_at", "sent_at")
    return [
        one | {name: as_moment(one[name]) for name in moments} | {"title": _title(one, tasks.get(str(one["task_id"])))}
        for one in found
    ]


def _title(notice: dict[str, Any], task: tuple[int, str] | None) -> str:
    """A header in capitals is a word for programs."""
    header, about = notice["header"], [task] if task else []
    decision = DECIDED.get(str(notice["data"].get("decision")))
    if notice["kind"] == "decision" and decision:
        action = re.search(r"^Action: (.*)$", notice["text"], re.MULTILINE)
        return f"{decision}: {heading(action[1] if action else 'decision', about)}"
    title = header.capitalize() if header.isupper() else header
    return f"{title}: #{task[0]} {task[1]}" if task else title


TAB = Tab("inbox", "Inbox", render, card)


pages = Blueprint("inbox_pages", __name__)
AGENT = "/agents/<uuid:agent_id>"
PAGES_TEMPLATE = "inbox/callback.html"
VERB = "agent.set_callback"
LABELS = {"url": "Address", "secret": "Secret"}


@action(pages, f"{AGENT}/deliveries/<uuid:delivery_id>/retries", at=agent_of_page, gone=DELETED)
async def retry_agent_delivery(outcome: Outcome[Delivery, None]) -> ResponseReturnValue:
    """Send a notice again that was given up."""
    return done(f"/agents/{outcome.page.id}/inbox", toast="On its way again")


@pages.get("/agents/<uuid:agent_id>/callback")
async def ask_callback(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of an agent's callback."""
    actor, agent = await on_agent(agent_id, VERB)
    state = await callback_state(agent.id)
    return await _form(agent_id).render(actor, {"url": state.url})


def _form(agent_id: UUID) -> FormPage:
    url, back = f"/agents/{agent_id}/callback", back_to(agent_id, "inbox", "the inbox")
    return FormPage("Send its notices to", PAGES_TEMPLATE, "callback_form", url, back, context={"labels": LABELS})


@action(
    pages, f"{AGENT}/callback", at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _form(refusal.ids["agent_id"]).refused(refusal),
)  # fmt: skip
async def set_agent_callback(outcome: Outcome[Agent, CallbackSet]) -> ResponseReturnValue:
    """Send an agent's notices to an address, and show the secret once."""
    agent, made, form = outcome.found, outcome.answer, _form(outcome.found.id)
    where = {"back": form.back[0], "in_dialog": form.is_dialog}
    html = render_macro(PAGES_TEMPLATE, "new_secret", name=agent.name, secret=made.secret, url=made.url, **where)
    return await form.instead(outcome.actor, Markup(html))


@pages.get("/agents/<uuid:agent_id>/callback/removal")
async def ask_removal(agent_id: UUID) -> ResponseReturnValue:
    """Ask before a callback is removed, and name the consequences."""
    actor, agent = await on_agent(agent_id, VERB)
    state = await callback_state(agent.id)
    if state.url is None:
        raise NotFound("The callback was removed already.")
    context = {"name": agent.name, "address": state.url}
    url, back = f"/agents/{agent_id}/callback/removal", back_to(agent_id, "inbox", "the inbox")
    return await FormPage("Remove the callback?", PAGES_TEMPLATE, "removal_form", url, back, context=context).render(
        actor, {}
    )


@action(pages, f"{AGENT}/callback/removal", at=agent_of_page, gone=DELETED)
async def remove_agent_callback(outcome: Outcome[Agent, None]) -> ResponseReturnValue:
    """Remove an agent's callback; it reads its notices in its inbox."""
    return done(f"/agents/{outcome.found.id}/inbox", toast="Callback removed")
