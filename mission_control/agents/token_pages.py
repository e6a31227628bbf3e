"""An agent's tokens and its budget, made and changed on its page."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from quart import Blueprint, current_app, request
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import AGENT, changes_agent, on_agent
from mission_control.agents.schemas import LONGEST_OVERLAP, Budget, TokenName
from mission_control.agents.tabs import power_of
from mission_control.agents.tokens import live_tokens, newest_live_token
from mission_control.agents.usage.pages import LABELS as BUDGET_LABELS
from mission_control.agents.usage.pages import BudgetForm
from mission_control.core import times
from mission_control.core.actor import Actor, require
from mission_control.core.errors import existing
from mission_control.people.models import Token
from mission_control.web.actions import Outcome
from mission_control.web.forms import Form, FormValues, done
from mission_control.web.fragments import PageContext
from mission_control.web.tabs import FormPage

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
    ("connect", "Only report sessions"),
    ("lead", "Read, work and lead"),
]
KEEP = "keep"
LABELS = {"name": "Name", "may": "It may", "ends": "It ends", "requests_per_minute": "Requests per minute"}

Power = Literal["all", "work", "read", "connect", "lead"]
Ends = Annotated[str, Field(pattern=r"^(never|keep|[1-9][0-9]{0,8})$")]


class TokenTraits(Form):
    """The rights, the rate limit and the end of a token; absent fields stay as they are."""

    name: TokenName = ""
    may: Power = "all"
    ends: Ends = KEEP
    requests_per_minute: Budget | None = None

    def body(self, found: Any) -> FormValues:
        sent = self.model_fields_set
        given: FormValues = self.model_dump(include=sent & {"name", "requests_per_minute"})
        if "may" in sent:
            given["scopes"] = None if self.may == "all" else [self.may]
        if "ends" in sent and self.ends != KEEP:
            given["expires_at"] = (
                None if self.ends == "never" else times.clock_now() + timedelta(seconds=int(self.ends))
            )
        return given


class TokenForm(TokenTraits):
    """A change of a token."""

    def body(self, found: tuple[Agent, Token]) -> FormValues:
        """Return the change; scopes that the form can only show roughly stay when another choice was not made."""
        traits = super().body(found)
        if self.may == power_of(found[1].scopes):
            traits.pop("scopes", None)
        return traits


class NewTokenForm(TokenTraits):
    """A token that replaces the live ones, which go on for the overlap."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = 600

    def body(self, found: Agent) -> FormValues:
        return super().body(found) | {"overlap_seconds": self.overlap_seconds}


def values_of(token: Token, power: str) -> FormValues:
    return {"name": token.name, "may": power, "ends": KEEP, "requests_per_minute": token.requests_per_minute}


async def _successor(agent: Agent, ids: object) -> FormValues:
    """Return what the form shows for the next token: the same rights and rate limit, and about the same lifetime."""
    token = await newest_live_token(agent.id)
    if token is None:
        return {"may": "all", "ends": "never", "overlap_seconds": 0}
    ends = "never"
    if token.expires_at is not None:
        lifetime = (token.expires_at - token.created_at).total_seconds()
        ends = min((value for value, _ in ENDS[1:]), key=lambda value: abs(int(value) - lifetime))
    return values_of(token, power_of(token.scopes)) | {"ends": ends, "overlap_seconds": 600}


async def _token(agent: Agent, ids: Mapping[str, UUID]) -> Token:
    return await existing(Token.get_or_none(id=ids["token_id"], agent_id=agent.id))


async def _present(agent: Agent, ids: Mapping[str, UUID]) -> FormValues:
    token = await _token(agent, ids)
    return values_of(token, power_of(token.scopes))


async def _choices(actor: Actor, agent: Agent | None, ids: Mapping[str, UUID]) -> PageContext:
    budget = current_app.config["SETTINGS"].agent_requests_per_minute
    choices = {"powers": POWERS, "ends": ENDS, "overlaps": OVERLAPS}
    choices |= {"ends": [(KEEP, "As it is"), *ENDS], "overlaps": []} if "token_id" in ids else {}
    choices |= {"budget": f"{budget:,}" if budget else "as many as it likes"}
    return {"choices": choices, "submit": "Save" if "token_id" in ids else "Create the token"}


async def _others(actor: Actor, agent: Agent, ids: Mapping[str, UUID]) -> PageContext:
    token = await _token(agent, ids)
    return {"prefix": token.prefix, "others": await live_tokens(agent.id).exclude(id=token.id).count()}


pages = Blueprint("agents_token_pages", __name__)
TOKEN = f"{AGENT}/tokens/<uuid:token_id>"
_form = partial(
    FormPage, pages=pages, find=partial(on_agent, verb="agent.manage_tokens"), template="agents/token_forms.html",
    back=("tokens", "the tokens"),
)  # fmt: skip
NEW = _form(
    path=f"{AGENT}/tokens", asked_at=f"{AGENT}/tokens/new", title="New token", macro="token_form", values=_successor,
    context=_choices, labels=LABELS,
)  # fmt: skip
CHANGE = _form(
    path=TOKEN, title="Change the token", macro="token_form", values=_present, context=_choices, labels=LABELS
)
_form(path=f"{TOKEN}/revocations", title="Revoke the token?", macro="revoke_form", context=_others)


@changes_agent(pages, NEW.path, form=NewTokenForm, refused=NEW.refused)
async def create_agent_token(outcome: Outcome[Agent, NewTokenForm]) -> ResponseReturnValue:
    """Create a new token and show it once, with the lines that use it; the old ones end after the overlap."""
    made = {"secret": outcome.answer.token, "until": outcome.answer.replaced_until, "base": base_url()}
    return await NEW.instead(outcome, "secret", agent=outcome.found, **made)


def base_url() -> str:
    """Return the address at which agents reach this server."""
    return str(current_app.config["SETTINGS"].base_url or request.host_url).rstrip("/")


@changes_agent(pages, TOKEN, form=TokenForm, refused=CHANGE.refused)
async def update_agent_token(outcome: Outcome[tuple[Agent, Token], TokenForm]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.found[0].id}/tokens", toast="Token changed")


@changes_agent(pages, f"{TOKEN}/revocations")
async def revoke_agent_token(outcome: Outcome[tuple[Agent, Token], None]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.found[0].id}/tokens", toast="Token revoked")


async def _to_limit(agent_id: UUID) -> tuple[Actor, Agent]:
    actor, agent = await on_agent(agent_id)
    require(actor, "budget.manage", agent.organization_id)
    return actor, agent


async def _own(agent: Agent, ids: object) -> FormValues:
    return {"subject": f"agent:{agent.id}", "unit": "tokens", "period": "day"}


async def _subjects(actor: Actor, agent: Agent | None, ids: Mapping[str, UUID]) -> PageContext:
    if agent is None:
        return {"subjects": [(f"agent:{ids['agent_id']}", "This agent")]}
    board = [(f"board:{agent.board_id}", f"All agents of {agent.board.name}")] if agent.board else []
    return {"subjects": [(f"agent:{agent.id}", agent.name), *board, ("organization", "All agents of the organization")]}


usage_pages = Blueprint("agents_usage_pages", __name__)
BUDGET = FormPage(
    pages=usage_pages, path=f"{AGENT}/budgets", asked_at=f"{AGENT}/budgets/new", find=_to_limit, title="New budget",
    template="agents/budget_form.html", macro="budget_form", back=("usage", "the usage"), values=_own,
    context=_subjects, labels=BUDGET_LABELS,
)  # fmt: skip


@changes_agent(usage_pages, BUDGET.path, form=BudgetForm, refused=BUDGET.refused)
async def create_budget(outcome: Outcome[None, BudgetForm]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.page.id}/usage", toast="Budget set")
