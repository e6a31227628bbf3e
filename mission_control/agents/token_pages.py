"""Making, changing and revoking an agent's tokens, on its page."""

from typing import Any
from uuid import UUID

from markupsafe import Markup
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.accounts.models import Token
from mission_control.agents.models import Agent
from mission_control.agents.page_forms import FormPage, back_to
from mission_control.agents.page_frame import DELETED, agent_of_page, on_agent, tab_page
from mission_control.agents.token_forms import (
    ENDS,
    KEEP,
    LABELS,
    OVERLAPS,
    POWERS,
    NewTokenForm,
    TokenForm,
    successor_values,
    values_of,
)
from mission_control.agents.token_tab import power_of
from mission_control.agents.tokens import live_tokens, newest_live_token
from mission_control.core.errors import NotFound
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done
from mission_control.web.fragments import render_macro

pages = Blueprint("agents_token_pages", __name__)
AGENT = "/agents/<uuid:agent_id>"
TOKEN = f"{AGENT}/tokens/<uuid:token_id>"
TEMPLATE = "agents/token_forms.html"
VERB = "agent.manage_tokens"


@pages.get("/agents/<uuid:agent_id>/tokens")
async def tokens(agent_id: UUID) -> str:
    """Show the tokens of an agent."""
    return await tab_page(agent_id, "tokens")


@pages.get("/agents/<uuid:agent_id>/tokens/new")
async def ask_new(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of a new token."""
    actor, agent = await on_agent(agent_id, VERB)
    present = await newest_live_token(agent.id)
    values = successor_values(present, power_of(present.scopes) if present else "all")
    return await _new_form(agent_id).render(actor, values)


def _new_form(agent_id: UUID) -> FormPage:
    context = {"choices": _choices(ENDS, OVERLAPS), "labels": LABELS, "submit": "Create the token"}
    url = f"/agents/{agent_id}/tokens"
    return FormPage(
        "New token", TEMPLATE, "token_form", url, back_to(agent_id, "tokens", "the tokens"), context=context
    )


def _choices(ends: list[tuple[str, str]], overlaps: list[tuple[int, str]]) -> dict[str, Any]:
    budget = current_app.config["SETTINGS"].agent_requests_per_minute
    usual = f"{budget:,}" if budget else "as many as it likes"
    return {"powers": POWERS, "ends": ends, "overlaps": overlaps, "budget": usual}


@action(
    pages, "POST", f"{AGENT}/tokens",
    performs="create_agent_token", form=NewTokenForm, at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _new_form(refusal.ids["agent_id"]).refused(refusal),
)  # fmt: skip
async def rotate(outcome: Outcome[Agent, NewTokenForm]) -> ResponseReturnValue:
    """Create a new token and show it once; the old ones end after the overlap."""
    form, made = _new_form(outcome.found.id), outcome.answer
    html = secret_html(form, outcome.found, secret=made.token, until=made.replaced_until)
    return await form.instead(outcome.actor, html)


def secret_html(form: FormPage, agent: Agent, **more: object) -> Markup:
    """Return a new token, with the lines that use it."""
    where = {"base": base_url(), "back": form.back[0], "in_dialog": form.is_dialog}
    return Markup(render_macro(TEMPLATE, "secret", agent=agent, **where, **more))


def base_url() -> str:
    """Return the address at which agents reach this server."""
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


@pages.get("/agents/<uuid:agent_id>/tokens/<uuid:token_id>")
async def ask_change(agent_id: UUID, token_id: UUID) -> ResponseReturnValue:
    """Show the form that changes a token."""
    actor, agent = await on_agent(agent_id, VERB)
    token = await _token(agent, token_id)
    return await _change_form(agent_id, token_id).render(actor, values_of(token, power_of(token.scopes)))


def _change_form(agent_id: UUID, token_id: UUID) -> FormPage:
    ends = [(KEEP, "As it is"), *ENDS]
    context = {"choices": _choices(ends, []), "labels": LABELS, "submit": "Save"}
    url = f"/agents/{agent_id}/tokens/{token_id}"
    back = back_to(agent_id, "tokens", "the tokens")
    return FormPage("Change the token", TEMPLATE, "token_form", url, back, context=context)


async def _token(agent: Agent, token_id: UUID) -> Token:
    token = await Token.get_or_none(id=token_id, agent_id=agent.id)
    if token is None:
        raise NotFound()
    return token


@action(
    pages, "POST", TOKEN,
    performs="update_agent_token", form=TokenForm, at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _change_form(refusal.ids["agent_id"], refusal.ids["token_id"]).refused(refusal),
)  # fmt: skip
async def change(outcome: Outcome[tuple[Agent, Token], TokenForm]) -> ResponseReturnValue:
    """Change the rights, the rate limit and the end of a token."""
    return done(f"/agents/{outcome.found[0].id}/tokens", toast="Token changed")


@pages.get("/agents/<uuid:agent_id>/tokens/<uuid:token_id>/revocations")
async def ask_revoke(agent_id: UUID, token_id: UUID) -> ResponseReturnValue:
    """Ask before a token is revoked, and name the consequences."""
    actor, agent = await on_agent(agent_id, VERB)
    return await (await _revoke_form(agent, token_id)).render(actor, {})


async def _revoke_form(agent: Agent, token_id: UUID) -> FormPage:
    token = await _token(agent, token_id)
    context = {"prefix": token.prefix, "others": await live_tokens(agent.id).exclude(id=token.id).count()}
    url, back = f"/agents/{agent.id}/tokens/{token_id}/revocations", back_to(agent.id, "tokens", "the tokens")
    return FormPage("Revoke the token?", TEMPLATE, "revoke_form", url, back, context=context)


@action(
    pages, "POST", f"{TOKEN}/revocations",
    performs="revoke_agent_token", at=agent_of_page, gone=DELETED,
)  # fmt: skip
async def revoke(outcome: Outcome[tuple[Agent, Token], None]) -> ResponseReturnValue:
    """Revoke one token at once; a no-op for one that has ended."""
    return done(f"/agents/{outcome.found[0].id}/tokens", toast="Token revoked")
