"""An agent's notices and its callback, changed on its page."""

from uuid import UUID

from markupsafe import Markup
from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_forms import FormPage, back_to
from mission_control.agents.page_frame import DELETED, agent_of_page, on_agent
from mission_control.core.errors import NotFound
from mission_control.inbox.notices import CallbackSet, callback_state
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import render_macro
from mission_control.work.deliveries import Delivery

pages = Blueprint("inbox_pages", __name__)
AGENT = "/agents/<uuid:agent_id>"
TEMPLATE = "inbox/callback.html"
VERB = "agent.set_callback"
LABELS = {"url": "Address", "secret": "Secret"}


@action(
    pages, "POST", f"{AGENT}/deliveries/<uuid:delivery_id>/retries",
    performs="retry_agent_delivery", at=agent_of_page, gone=DELETED,
)  # fmt: skip
async def send_again(outcome: Outcome[Delivery, None]) -> ResponseReturnValue:
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
    return FormPage("Send its notices to", TEMPLATE, "callback_form", url, back, context={"labels": LABELS})


@action(
    pages, "POST", f"{AGENT}/callback",
    performs="set_agent_callback", at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _form(refusal.ids["agent_id"]).refused(refusal),
)  # fmt: skip
async def set_callback(outcome: Outcome[Agent, CallbackSet]) -> ResponseReturnValue:
    """Send an agent's notices to an address, and show the secret once."""
    agent, made, form = outcome.found, outcome.answer, _form(outcome.found.id)
    where = {"back": form.back[0], "in_dialog": form.is_dialog}
    html = render_macro(TEMPLATE, "new_secret", name=agent.name, secret=made.secret, url=made.url, **where)
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
    return await FormPage("Remove the callback?", TEMPLATE, "removal_form", url, back, context=context).render(
        actor, {}
    )


@action(pages, "POST", f"{AGENT}/callback/removal", performs="remove_agent_callback", at=agent_of_page, gone=DELETED)
async def remove_callback(outcome: Outcome[Agent, None]) -> ResponseReturnValue:
    """Remove an agent's callback; it reads its notices in its inbox."""
    return done(f"/agents/{outcome.found.id}/inbox", toast="Callback removed")
