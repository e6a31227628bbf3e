"""An agent's tokens and its budget, made and changed on its page."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from markupsafe import Markup
from pydantic import Field
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import DELETED, FormPage, agent_of_page, back_to, on_agent, tab_page
from mission_control.agents.schemas import LONGEST_OVERLAP, Budget, TokenName
from mission_control.agents.tabs import power_of
from mission_control.agents.tokens import live_tokens, newest_live_token
from mission_control.agents.usage_pages import LABELS as FORMS_LABELS
from mission_control.agents.usage_pages import BudgetForm
from mission_control.core import times
from mission_control.core.actor import require
from mission_control.core.errors import NotFound
from mission_control.people.models import Token
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Form, done
from mission_control.web.fragments import render_macro

DAY = 86_400
OVERLAPS = [(0, "at once"), (600, "in 10 minutes"), (3600, "in an hour"), (DAY, "in a day"), (7 * DAY, "in a week")]
ENDS = [("never", "Never")] + [
    (str(days * DAY), word)
    for days, word in ((1, "In a day"), (7, "In a week"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year"))
]
POWERS = [
    ("all", "Everything that the agent may"),
    ("work", "Read and work"),
    ("read", "Only read"),
    ("lead", "Read, work and lead"),
]
KEEP = "keep"
LABELS = {"name": "Name", "may": "It may", "ends": "It ends", "requests_per_minute": "Requests per minute"}

Power = Literal["all", "work", "read", "lead"]
Ends = Annotated[str, Field(pattern=r"^(never|keep|[1-9][0-9]{0,8})$")]


class TokenTraits(Form):
    """The rights, the rate limit and the end of a token; absent fields stay as they are."""

    name: TokenName = ""
    may: Power = "all"
    ends: Ends = KEEP
    requests_per_minute: Budget | None = None

    def body(self, found: Any) -> dict[str, object]:
        sent = self.model_fields_set
        given: dict[str, object] = {
            name: getattr(self, name) for name in ("name", "requests_per_minute") if name in sent
        }
        if "may" in sent:
            given["scopes"] = None if self.may == "all" else [self.may]
        if "ends" in sent and self.ends != KEEP:
            given["expires_at"] = _moment(self.ends)
        return given


class TokenForm(TokenTraits):
    """A change of a token."""

    def body(self, found: tuple[Agent, Token]) -> dict[str, object]:
        """Return the change; scopes that the form can only show roughly stay when another choice was not made."""
        traits = super().body(found)
        if self.may == power_of(found[1].scopes):
            traits.pop("scopes", None)
        return traits


class NewTokenForm(TokenTraits):
    """A token that replaces the live ones, which go on for the overlap."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = 600

    def body(self, found: Agent) -> dict[str, object]:
        return super().body(found) | {"overlap_seconds": self.overlap_seconds}


def _moment(ends: str) -> datetime | None:
    return None if ends == "never" else times.clock_now() + timedelta(seconds=int(ends))


def values_of(token: Token, power: str) -> dict[str, object]:
    """Return what the form shows for a token."""
    return {"name": token.name, "may": power, "ends": KEEP, "requests_per_minute": token.requests_per_minute}


def successor_values(token: Token | None, power: str) -> dict[str, object]:
    """Return what the form shows for the next token: the same rights and rate limit, and about the same lifetime."""
    if token is None:
        return {"may": "all", "ends": "never", "overlap_seconds": 0}
    ends = "never"
    if token.expires_at is not None:
        lifetime = (token.expires_at - token.created_at).total_seconds()
        ends = min((value for value, _ in ENDS[1:]), key=lambda value: abs(int(value) - lifetime))
    return values_of(token, power) | {"ends": ends, "overlap_seconds": 600}


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


def _choices(ends: list[tuple[str, str]], overlaps: list[tuple[int, str]]) -> dict[str, object]:
    budget = current_app.config["SETTINGS"].agent_requests_per_minute
    usual = f"{budget:,}" if budget else "as many as it likes"
    return {"powers": POWERS, "ends": ends, "overlaps": overlaps, "budget": usual}


@action(
    pages, f"{AGENT}/tokens", form=NewTokenForm, at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _new_form(refusal.ids["agent_id"]).refused(refusal),
)  # fmt: skip
async def create_agent_token(outcome: Outcome[Agent, NewTokenForm]) -> ResponseReturnValue:
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
    pages, TOKEN, form=TokenForm, at=agent_of_page, gone=DELETED,
    refused=lambda refusal: _change_form(refusal.ids["agent_id"], refusal.ids["token_id"]).refused(refusal),
)  # fmt: skip
async def update_agent_token(outcome: Outcome[tuple[Agent, Token], TokenForm]) -> ResponseReturnValue:
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


@action(pages, f"{TOKEN}/revocations", at=agent_of_page, gone=DELETED)
async def revoke_agent_token(outcome: Outcome[tuple[Agent, Token], None]) -> ResponseReturnValue:
    """Revoke one token at once; a no-op for one that has ended."""
    return done(f"/agents/{outcome.found[0].id}/tokens", toast="Token revoked")


usage_pages = Blueprint("agents_usage_pages", __name__)


@usage_pages.get("/agents/<uuid:agent_id>/budgets/new")
async def ask_budget(agent_id: UUID) -> ResponseReturnValue:
    """Show the form of a new budget."""
    actor, agent = await on_agent(agent_id)
    require(actor, "budget.manage", agent.organization_id)
    subjects = _subjects(agent)
    return await _form(agent_id, subjects).render(actor, {"subject": subjects[0][0], "unit": "tokens", "period": "day"})


def _subjects(agent: Agent) -> list[tuple[str, str]]:
    """Return the subjects of budgets that the agent's work draws on."""
    board = [(f"board:{agent.board_id}", f"All agents of {agent.board.name}")] if agent.board else []
    return [(f"agent:{agent.id}", agent.name), *board, ("organization", "All agents of the organization")]


def _form(agent_id: UUID, subjects: list[tuple[str, str]]) -> FormPage:
    url, back = f"/agents/{agent_id}/budgets", back_to(agent_id, "usage", "the usage")
    context = {"labels": FORMS_LABELS, "subjects": subjects}
    return FormPage("New budget", "agents/budget_form.html", "budget_form", url, back, context=context)


async def _not_set(refusal: Refusal[None, BudgetForm]) -> ResponseReturnValue:
    agent, agent_id = refusal.page, refusal.ids["agent_id"]
    subjects = _subjects(agent) if agent is not None else [(f"agent:{agent_id}", "This agent")]
    return await _form(agent_id, subjects).refused(refusal)


@action(
    usage_pages, "/agents/<uuid:agent_id>/budgets", form=BudgetForm, at=agent_of_page, refused=_not_set, gone=DELETED,
)  # fmt: skip
async def create_budget(outcome: Outcome[None, BudgetForm]) -> ResponseReturnValue:
    """Create a budget; what was used up already counts."""
    return done(f"/agents/{outcome.page.id}/usage", toast="Budget set")
