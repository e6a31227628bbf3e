"""The directory of souls as pages of the settings: finding one, reading it, and giving it to an agent."""

from collections.abc import Awaitable
from uuid import UUID

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.agents.fields import Soul
from mission_control.agents.models import Agent
from mission_control.agents.queries import visible_agent, visible_agents
from mission_control.agents.souls.directory import directory
from mission_control.core.actor import Actor, can, require
from mission_control.core.errors import Conflict, Invalid, Unreachable
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, go
from mission_control.web.fragments import read_ahead
from mission_control.web.shell import SettingsPage, settings_page, signed_in

pages = Blueprint("souls_pages", __name__)
SETTINGS = SettingsPage("souls", "Organization", "Souls", "/settings/souls", "user", 160, "personalities characters")
SOULS, SOUL = "/settings/souls", "/settings/souls/<string:handle>/<string:slug>"
GIVE = f"{SOUL}/agents/<uuid:agent_id>"
SHOWN = 50
MOST_AGENTS = 200
LABELS = {"soul": "Soul", "reason": "Reason"}


class GiveForm(Form):
    """A soul for an agent, as somebody has fitted it."""

    soul: Soul = None
    reason: str | None = None

    def body(self, found: Agent) -> Fields:
        return {"content": self.soul, "reason": self.reason}


async def _read[T](reading: Awaitable[T]) -> tuple[T | None, str]:
    """Return what the directory has, and why it cannot be read, else ""."""
    try:
        return await reading, ""
    except Unreachable as error:
        return None, error.sentence


@pages.get(SOULS)
async def list_found() -> str:
    actor = await signed_in()
    words = request.args.get("q", "").strip()[:200]
    found, problem = await _read(directory().search(words, SHOWN + 1))
    context = {
        "souls": (found or [])[:SHOWN],
        "has_more": len(found or []) > SHOWN,
        "words": words,
        "problem": problem,
    }
    context |= {"source": directory().source, "read_at": directory().read_at}
    return await settings_page(actor, "agents/souls/index.html", SETTINGS.key, **context)


@pages.get(SOUL)
async def one_soul(handle: str, slug: str) -> ResponseReturnValue:
    actor = await signed_in()
    require(actor, "soul.read")
    found, problem = await _read(directory().text(handle, slug))
    if found is None:
        page = await settings_page(actor, "agents/souls/missing.html", SETTINGS.key, problem=problem, slug=slug)
        return page, 502
    await read_ahead(found.content)
    agents = await _agents(actor)
    context = {"agents": agents[:MOST_AGENTS], "page_url": directory().page_url(handle, slug)}
    return await settings_page(actor, "agents/souls/show.html", SETTINGS.key, soul=found, **context)


async def _agents(actor: Actor) -> list[Agent]:
    """Return the agents whose soul somebody may change, by name."""
    found = visible_agents(actor).filter(organization_id=actor.organization_id).select_related("board")
    agents = await found.limit(MOST_AGENTS)
    mine = [agent for agent in agents if agent.board is not None and can(actor, "agent.update", agent)]
    return sorted(mine, key=lambda agent: agent.name.lower())


@pages.get(GIVE)
async def ask_for_agent(handle: str, slug: str, agent_id: UUID) -> str:
    """Show the text, to be fitted before an agent gets it."""
    actor = await signed_in()
    agent = await visible_agent(actor, agent_id)
    require(actor, "agent.update", agent)
    found = await directory().text(handle, slug)
    reason = f"From {directory().page_url(handle, slug)}"[:500]
    return await _give(actor, agent, handle, slug, {"soul": found.content, "reason": reason}, {})


async def _give(actor: Actor, agent: Agent, handle: str, slug: str, values: Fields, errors: dict[str, str]) -> str:
    context = {"agent": agent, "values": values, "errors": errors, "labels": LABELS}
    where = {"handle": handle, "slug": slug, "page_url": directory().page_url(handle, slug)}
    return await settings_page(actor, "agents/souls/give.html", SETTINGS.key, **where, **context)


async def _not_given(refusal: Refusal[Agent, GiveForm]) -> ResponseReturnValue:
    if not isinstance(refusal.error, FormInvalid | Invalid | Conflict) or refusal.found is None:
        raise refusal.error
    handle, slug = str(refusal.ids["handle"]), str(refusal.ids["slug"])
    return await _give(refusal.actor, refusal.found, handle, slug, refusal.values, refusal.errors)


@action(pages, GIVE, form=GiveForm, refused=_not_given)
async def update_agent_soul(outcome: Outcome[Agent, GiveForm]) -> ResponseReturnValue:
    return go(f"/agents/{outcome.found.id}/soul")
