"""Agents as pages: the list, making one, changing one."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from quart import Response, request
from quart.typing import ResponseReturnValue

from mission_control.agents import roster, tabs
from mission_control.agents.fields import AgentName, ClaimTags, ShortText, Soul, WipLimit
from mission_control.agents.holds.needs import asks_about
from mission_control.agents.models import Agent, AgentSoul
from mission_control.agents.page_frame import AGENT, AGENT_PAGE, agent_of_page, changes_agent, on_agent, stream_of_page
from mission_control.agents.queries import reachable_agent
from mission_control.agents.roster import role_of
from mission_control.agents.tabs import tag_choices
from mission_control.agents.token_pages import base_url
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can, require
from mission_control.core.amounts import short
from mission_control.core.errors import Conflict
from mission_control.core.values import BlankToNone, JsonObject
from mission_control.database.sql import Row
from mission_control.events.broker import head_of
from mission_control.gateways.queries import gateway_names
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, FormValues, VersionedForm, done, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest, order_asked
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import PaletteEntry, dialog_or_page, shell_page, signed_in
from mission_control.web.tabs import FormPage

LABELS = {
    "name": "Name", "board_id": "Board", "runs_on": "Runs on", "is_board_lead": "Board lead", "role": "Role",
    "every": "Looked after", "communication_style": "Communication style", "emoji": "Emoji", "identity": "Identity",
    "soul": "Soul", "reason": "Reason",
}  # fmt: skip
# How often the server looks whether an agent has work that it has not taken up; the choices of people.
PACES = (
    ("30s", "Every 30 seconds"), ("1m", "Every minute"), ("5m", "Every 5 minutes"), ("10m", "Every 10 minutes"),
    ("30m", "Every 30 minutes"), ("1h", "Every hour"), ("1d", "Once a day"), ("0m", "Never"),
)  # fmt: skip


class _TraitsForm(Form):
    name: AgentName
    is_board_lead: bool = False
    every: str | None = None
    role: ShortText | None = None
    communication_style: ShortText | None = None
    emoji: ShortText | None = None
    identity: Soul = None

    def profile(self, known: JsonObject | None) -> JsonObject | None:
        """Return an identity profile with what was typed; its other keys stay."""
        sent = [one for one in ("role", "communication_style", "emoji") if one in {"role", *self.model_fields_set}]
        kept = {name: value for name, value in (known or {}).items() if name not in sent}
        return kept | {name: text for name in sent if (text := getattr(self, name))} or None


class AgentForm(VersionedForm, _TraitsForm):
    """An agent's name, its board and what it is. Without a board or an interval they stay."""

    board_id: UUID | None = None

    def body(self, found: Agent) -> Fields:
        changes: Row = {
            "name": self.name,
            "is_board_lead": self.is_board_lead,
            "identity_profile": self.profile(found.identity_profile),
            "identity_template": self.identity,
        }
        if self.board_id is not None and self.board_id != found.board_id:
            changes["board_id"] = self.board_id
        if self.every and self.every != pace_of(found.heartbeat_config):
            changes["heartbeat_config"] = {**(found.heartbeat_config or {}), "every": self.every}
        return changes

    @classmethod
    def values_of(cls, agent: Agent) -> FormValues:
        return {
            "name": agent.name,
            "is_board_lead": agent.is_board_lead,
            "role": role_of(agent),
            "board_id": agent.board_id,
            "every": pace_of(agent.heartbeat_config),
            "communication_style": (agent.identity_profile or {}).get("communication_style"),
            "emoji": (agent.identity_profile or {}).get("emoji"),
            "identity": agent.identity_template,
        }


def pace_of(config: JsonObject | None) -> str:
    return str((config or {}).get("every", "10m"))


class NewAgentForm(_TraitsForm):
    """A new agent."""

    board_id: UUID
    runs_on: Literal["gateway", "elsewhere"] = "gateway"
    soul: Soul = None

    def body(self, found: None) -> Fields:
        """Return the agent to create: on the board's gateway, if it has one, unless it runs elsewhere."""
        return {
            **self.model_dump(include={"board_id", "name", "is_board_lead"}),
            "identity_profile": self.profile(None),
            "identity_template": self.identity,
            "soul_template": self.soul,
            "heartbeat_config": {"every": self.every} if self.every else None,
            **({"gateway_id": None} if self.runs_on == "elsewhere" else {}),
        }


class LimitsForm(VersionedForm):
    """Which tasks an agent may claim, and how many at once."""

    wip_limit: WipLimit = None
    claim_tags: ClaimTags = None

    def body(self, found: Agent) -> Fields:
        return {"wip_limit": self.wip_limit, "claim_tags": self.claim_tags or None}

    @classmethod
    def values_of(cls, agent: Agent) -> FormValues:
        return {"wip_limit": agent.wip_limit, "claim_tags": agent.claim_tags or []}


class SoulForm(VersionedForm):
    """An agent's soul, and why it changes."""

    soul: Soul = None
    reason: Annotated[ShortText | None, BlankToNone] = None

    def body(self, found: Agent) -> Fields:
        return {"content": self.soul, "reason": self.reason}

    @classmethod
    def values_of(cls, agent: Agent) -> FormValues:
        return {"soul": agent.soul_template}


pages = Pages("agents_pages", __name__)
# What asks for a person stands first, what nobody waits for last.
STATES = (
    "error", "waiting", "holding", "gateway_away", "updating", "working", "online", "idle", "provisioning", "offline",
    "unneeded",
)  # fmt: skip
NOT_ONLINE = ("offline", "gateway_away", "provisioning", "unneeded")
ORDERS = {
    "name": Order("by name"),
    "state": Order("by state", lambda line: STATES.index(line.status)),
    "seen": greatest("last seen", lambda line: (line.agent.last_seen_at is not None, line.agent.last_seen_at)),
    "tokens": greatest("most tokens today", lambda line: line.tokens_today),
}


@dataclass(frozen=True, slots=True)
class Wanted(Asked):
    """What the list is asked for; `base` is the address at which agents find the server."""

    base: str

    @classmethod
    def here(cls) -> "Wanted":
        return cls(order_asked(ORDERS), 0, base_url())


async def _listed(actor: Actor, asked: Wanted) -> PageContext:
    order = ORDERS[asked.order]
    groups = [replace(one, lines=order.sorted(one.lines)) for one in await roster.roster_by_board(actor)]
    lines = [line for group in groups for line in group.lines]
    online = sum(line.status not in NOT_ONLINE for line in lines)
    paused = [line for line in lines if line.hold is not None]
    asks_of = await asks_about(actor, [line.hold for line in paused])
    groups = [replace(group, lines=[line for line in group.lines if line.hold is None]) for group in groups]
    figures = {"total": len(lines), "online": online, "base": asked.base, "short": short}
    return {"groups": groups, "paused": paused, "asks_of": asks_of, **figures}


LiveList(
    pages=pages, place="agents", path="/agents", template="agents/index.html", read=_listed, orders=ORDERS,
    asks=Wanted.here, verb="agent.manage", instead="agents/members.html", blocks=("agents", "agents_summary"),
    # Any event may notify an agent, and so change how many notices wait for it.
    news=Concerns[View](("",), ("agent_id", "inbox_of", "usage")),
)  # fmt: skip


@pages.get("/agents/new")
async def new_agent() -> ResponseReturnValue:
    actor = await signed_in()
    require(actor, "agent.manage")
    return await _new_page(actor, {"board_id": request.args.get("board", "")}, {})


async def _not_created(refusal: Refusal[None, NewAgentForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid, Conflict)
    return await _new_page(refusal.actor, refusal.values, refusal.errors)


@action(pages, "/agents/new", form=NewAgentForm, refused=_not_created)
async def create_agent(outcome: Outcome[None, NewAgentForm]) -> ResponseReturnValue:
    """Create an agent: show how it is set up on its gateway, or its token, once."""
    agent = await reachable_agent(outcome.actor, outcome.answer.id)
    if outcome.answer.token is None:
        return go(f"/agents/{agent.id}/gateway")
    live_url = f"/agents/{agent.id}/live?show=steps&after={await head_of(agent.organization_id)}"
    context = await tabs.context_of(agent)
    context |= {"agent": agent, "secret": outcome.answer.token, "base": base_url(), "live_url": live_url}
    return await shell_page(outcome.actor, "agents/token.html", active="agents", **context)


async def _new_page(actor: Actor, values: Fields, errors: dict[str, str]) -> str:
    boards = [board for board in await boards_of(actor) if can(actor, "agent.create", board)]
    gateways = await gateway_names([board.gateway_id for board in boards if board.gateway_id is not None])
    context: PageContext = {"errors": errors, "labels": LABELS, "boards": boards, "gateways": gateways}
    context |= {"paces": PACES, "values": {"every": "10m", **values}}
    return await shell_page(actor, "agents/new.html", active="agents", **context)


@pages.get(AGENT)
@pages.get(f"{AGENT}/<any(inbox, runs, usage, tokens, soul, activity, session, gateway):tab>")
async def one_agent(agent_id: UUID, tab: str = "overview") -> str:
    return await AGENT_PAGE.show(*await on_agent(agent_id), tab)


@pages.get(f"{AGENT}/live")
async def one_live(agent_id: UUID) -> Response:
    """Keep one agent's page, or its first steps, live."""
    if request.args.get("show") == "steps":
        return await tabs.stream(*await on_agent(agent_id))
    return await stream_of_page(agent_id)


@pages.get(f"{AGENT}/delete")
async def delete_form(agent_id: UUID) -> str:
    """Ask before an agent is deleted, and name the consequences."""
    actor, agent = await on_agent(agent_id, "agent.delete")
    open_tasks = [task for task in await roster.tasks_of(agent) if task.status != "done"]
    title = f"{'Unlink' if agent.is_adopted else 'Delete'} {agent.name}"
    return await dialog_or_page(
        actor, "agents/forms.html", "delete_form", f"{title}?", active="agents",
        back=(f"/agents/{agent.id}", agent.name), agent=agent, tasks=open_tasks, verb=title,
    )  # fmt: skip


@action(pages, f"{AGENT}/deletions", at=agent_of_page)
async def delete_agent(outcome: Outcome[None, None]) -> ResponseReturnValue:
    return go("/agents")


async def _choices(actor: Actor, agent: Agent | None, ids: object) -> PageContext:
    boards, paces = [], list(PACES)
    if agent is not None:
        pace = pace_of(agent.heartbeat_config)
        paces += [] if pace in dict(PACES) else [(pace, f"Every {pace}")]
        if agent.board_id is not None and not agent.is_adopted:
            boards = [(one.id, one.name) for one in await boards_of(actor) if can(actor, "agent.create", one)]
    return {"boards": boards, "paces": paces}


async def _tag_choices(actor: Actor, agent: Agent | None, ids: object) -> PageContext:
    return {"choices": await tag_choices(actor.organization_id, (agent and agent.claim_tags) or [])}


_form = partial(FormPage, pages=pages, find=partial(on_agent, verb="agent.update"))
EDIT = _form(
    path=f"{AGENT}/edit", title="Edit the agent", template="agents/forms.html", macro="edit", back=("", "the agent"),
    form=AgentForm, context=_choices, labels=LABELS,
)  # fmt: skip
LIMITS = _form(
    path=f"{AGENT}/limits", title="Limits", template="agents/about.html", macro="limits", back=("", "the agent"),
    form=LimitsForm, context=_tag_choices, labels={"wip_limit": "Tasks in progress", "claim_tags": "Tags"},
)  # fmt: skip
SOUL = _form(
    path=f"{AGENT}/soul/edit", title="Edit the soul", template="agents/soul.html", macro="edit", size="l",
    back=("soul", "the soul"), form=SoulForm, labels=LABELS,
)  # fmt: skip


@changes_agent(pages, EDIT.path, form=AgentForm, refused=EDIT.refused)
async def update_agent(outcome: Outcome[Agent, AgentForm]) -> ResponseReturnValue:
    """Change an agent's name and role, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}", toast=f"{outcome.form.name} saved")


@changes_agent(pages, LIMITS.path, performs="update_agent", form=LimitsForm, refused=LIMITS.refused)
async def change_limits(outcome: Outcome[Agent, LimitsForm]) -> ResponseReturnValue:
    """Change what an agent may claim, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}", toast="Limits saved")


@changes_agent(pages, SOUL.path, form=SoulForm, refused=SOUL.refused)
async def update_agent_soul(outcome: Outcome[Agent, SoulForm]) -> ResponseReturnValue:
    """Replace the agent's soul, unless somebody else did at the same time."""
    return done(f"/agents/{outcome.found.id}/soul", toast="Soul saved")


async def _newest_soul(actor: Actor, found: tuple[Agent, AgentSoul]) -> AgentSoul | None:
    return await AgentSoul.filter(agent_id=found[0].id).order_by("-created_at", "-id").first()


@changes_agent(pages, f"{AGENT}/souls/<uuid:soul_id>/restorations", before=_newest_soul)
async def restore_agent_soul(outcome: Outcome[tuple[Agent, AgentSoul], None]) -> ResponseReturnValue:
    """Restore a soul from the history; Undo restores the one before."""
    url, before = f"/agents/{outcome.found[0].id}", outcome.before
    undo = f"{url}/souls/{before.id}/restorations" if before is not None else ""
    return done(f"{url}/soul", toast="Soul restored", undo_action=undo)


ENTRIES = (
    PaletteEntry("Agents", "/agents", "bot", position=30),
    PaletteEntry("New agent", "/agents/new", "plus", position=40, group="Do", verb="agent.manage"),
)
