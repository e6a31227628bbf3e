"""An agent's notices and its callback, changed on its page."""

from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, current_app
from quart.typing import ResponseReturnValue

from mission_control.agents.page_forms import Form, back_to, submitted
from mission_control.agents.page_frame import on_agent, submitted_to
from mission_control.core.errors import NotFound
from mission_control.core.policy import require
from mission_control.inbox import agent_tab as agent_tab
from mission_control.inbox import commands
from mission_control.inbox.callbacks import check_url
from mission_control.inbox.queries import callback_state, visible_delivery
from mission_control.inbox.schemas import CallbackSet
from mission_control.sending.loop import retry
from mission_control.web.forms import done, read_form
from mission_control.web.fragments import render_macro
from mission_control.web.shell import signed_in

pages = Blueprint("inbox_pages", __name__)
TEMPLATE = "inbox/callback.html"
VERB = "agent.set_callback"
LABELS = {"url": "Address", "secret": "Secret"}


@pages.post("/agents/<uuid:agent_id>/deliveries/<uuid:delivery_id>/retries")
async def send_again(agent_id: UUID, delivery_id: UUID) -> ResponseReturnValue:
    """Send a notice that was given up once more."""
    actor, _ = await submitted_to(agent_id, "agent.read")
    delivery = await visible_delivery(actor, agent_id, delivery_id)
    require(actor, "delivery.retry", delivery)
    await retry(actor, delivery)
    return done(f"/agents/{agent_id}/inbox", toast="On its way again")


@pages.get("/agents/<uuid:agent_id>/callback")
async def ask_callback(agent_id: UUID) -> ResponseReturnValue:
    """Ask where an agent's notices are sent."""
    actor, agent = await on_agent(agent_id, VERB)
    state = await callback_state(agent.id)
    return await _form(agent_id).render(actor, {"url": state.url})


def _form(agent_id: UUID) -> Form:
    url, back = f"/agents/{agent_id}/callback", back_to(agent_id, "inbox", "the inbox")
    return Form("Send its notices to", TEMPLATE, "callback_form", url, back, context={"labels": LABELS})


@pages.post("/agents/<uuid:agent_id>/callback")
async def set_callback(agent_id: UUID) -> ResponseReturnValue:
    """Let an agent's notices be sent to an address, and show the secret, once."""
    form = _form(agent_id)

    async def work() -> ResponseReturnValue:
        actor, agent = await submitted_to(agent_id, VERB)
        typed = await read_form(CallbackSet)
        check_url(typed.url, allow_private=current_app.config["SETTINGS"].outbound_allow_private)
        secret = await commands.set_callback(actor, agent, typed.url, typed.secret, current_app.config["SECRET_KEY"])
        where = {"back": form.back[0], "in_dialog": form.is_dialog}
        html = render_macro(TEMPLATE, "secret_shown", name=agent.name, secret=secret, url=typed.url, **where)
        return await form.instead(actor, Markup(html))

    return await submitted(form, await signed_in(), work)


@pages.get("/agents/<uuid:agent_id>/callback/removal")
async def ask_removal(agent_id: UUID) -> ResponseReturnValue:
    """Name the consequences before a callback is removed."""
    actor, agent = await on_agent(agent_id, VERB)
    state = await callback_state(agent.id)
    if state.url is None:
        raise NotFound("The callback was removed already.")
    context = {"name": agent.name, "address": state.url}
    url, back = f"/agents/{agent_id}/callback/removal", back_to(agent_id, "inbox", "the inbox")
    return await Form("Remove the callback?", TEMPLATE, "removal_form", url, back, context=context).render(actor, {})


@pages.post("/agents/<uuid:agent_id>/callback/removal")
async def remove_callback(agent_id: UUID) -> ResponseReturnValue:
    """Send an agent's notices nowhere; it reads them in its inbox."""
    actor, agent = await submitted_to(agent_id, VERB)
    await commands.remove_callback(actor, agent)
    return done(f"/agents/{agent_id}/inbox", toast="Callback removed")
