"""An agent's notices and its callback on its page."""

import re
from functools import partial
from typing import get_args
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.notices import NOTICES, CallbackSet, State, callback_state, deliveries_of
from mission_control.agents.page_frame import AGENT, AGENT_PAGE, PAGE, Viewed, changes_agent, on_agent
from mission_control.approvals.payloads import heading
from mission_control.core.actor import Actor
from mission_control.core.errors import NotFound
from mission_control.core.values import Paging
from mission_control.database.sql import as_id, placeholders, rows
from mission_control.gateways.models import Gateway
from mission_control.log.leases import Delivery
from mission_control.web.actions import Outcome
from mission_control.web.forms import done
from mission_control.web.fragments import render_macro
from mission_control.web.tabs import FormPage, Tab

TEMPLATE = "inbox/agent.html"
CARD_LINES = 3
STATES = get_args(State)
DECIDED = {"approved": "Approved", "rejected": "Rejected", "changes_requested": "Sent back", "closed": "Closed"}


async def render(viewed: Viewed) -> str:
    state = viewed.args.get("state", "")
    state = state if state in STATES else ""
    paging = Paging(limit=PAGE, offset=viewed.offset)
    found, total = await deliveries_of(viewed.actor, viewed.agent, paging, state or None)
    return render_macro(
        TEMPLATE,
        "tab",
        viewed=viewed,
        notices=found,
        titles=await _titles(found),
        total=total,
        state=state,
        callback=await callback_state(viewed.id),
        gateway=await Gateway.get_or_none(id=viewed.agent.gateway_id) if viewed.agent.gateway_id else None,
    )


async def card(viewed: Viewed) -> str:
    found, total = await deliveries_of(viewed.actor, viewed.agent, Paging(limit=CARD_LINES, offset=0))
    return render_macro(TEMPLATE, "card", viewed=viewed, notices=found, titles=await _titles(found), total=total)


async def _titles(found: list[Delivery]) -> dict[UUID, str]:
    """Return titles of notices that name the decision and the task."""
    ids = list({one.task_id for one in found if one.task_id})
    sql = f"SELECT id, number, title FROM tasks WHERE id IN ({placeholders(len(ids))})"
    tasks = {as_id(row["id"]): (int(row["number"]), row["title"]) for row in await rows(sql, *ids)} if ids else {}
    return {one.id: _title(one, tasks.get(one.task_id)) for one in found}


def _title(notice: Delivery, task: tuple[int, str] | None) -> str:
    """A header in capitals is a word for programs."""
    decision = DECIDED.get(str(notice.data.get("decision")))
    if NOTICES.get(notice.header) == "decision" and decision:
        action = re.search(r"^Action: (.*)$", notice.text, re.MULTILINE)
        return f"{decision}: {heading(action[1] if action else 'decision', [task] if task else [])}"
    title = notice.header.capitalize() if notice.header.isupper() else notice.header
    return f"{title}: #{task[0]} {task[1]}" if task else title


TAB = Tab(AGENT_PAGE, "inbox", "Inbox", render, card)


async def _address(agent: Agent, ids: object) -> dict[str, object]:
    return {"url": (await callback_state(agent.id)).url}


async def _to_remove(actor: Actor, agent: Agent, ids: object) -> dict[str, object]:
    state = await callback_state(agent.id)
    if state.url is None:
        raise NotFound("The callback was removed already.")
    return {"name": agent.name, "address": state.url}


pages = Blueprint("inbox_pages", __name__)
_form = partial(
    FormPage, pages=pages, find=partial(on_agent, verb="agent.set_callback"), template="inbox/callback.html",
    back=("inbox", "the inbox"),
)  # fmt: skip
CALLBACK = _form(
    path=f"{AGENT}/callback", title="Send its notices to", macro="callback_form", values=_address,
    labels={"url": "Address", "secret": "Secret"},
)  # fmt: skip
REMOVAL = _form(
    path=f"{AGENT}/callback/removal", title="Remove the callback?", macro="removal_form", context=_to_remove
)


@changes_agent(pages, f"{AGENT}/deliveries/<uuid:delivery_id>/retries")
async def retry_agent_delivery(outcome: Outcome[Delivery, None]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.page.id}/inbox", toast="On its way again")


@changes_agent(pages, CALLBACK.path, refused=CALLBACK.refused)
async def set_agent_callback(outcome: Outcome[Agent, CallbackSet]) -> ResponseReturnValue:
    """Send an agent's notices to an address, and show the secret once."""
    made = outcome.answer
    return await CALLBACK.instead(outcome, "new_secret", name=outcome.found.name, secret=made.secret, url=made.url)


@changes_agent(pages, REMOVAL.path)
async def remove_agent_callback(outcome: Outcome[Agent, None]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.found.id}/inbox", toast="Callback removed")
