"""Fills the shell of every page, and keeps it live."""

from functools import partial

from markupsafe import Markup
from quart import Blueprint

from mission_control.agents.queries import online_count
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, can
from mission_control.core.values import to_json
from mission_control.events.broker import News, head_of
from mission_control.events.models import Event
from mission_control.home.shell_health import REGION as HEALTH
from mission_control.home.shell_health import health_for
from mission_control.needs.polling import NeedNews
from mission_control.needs.queries import waiting_in
from mission_control.notifications.commands import NotificationQuery, find_notifications, unread_count
from mission_control.people.jobs.commands import own_jobs
from mission_control.people.jobs.pages import ended_work, indicator, newest_ended
from mission_control.people.models import Organization
from mission_control.web.assets import build as build_of_assets
from mission_control.web.fragments import initials, render_macro
from mission_control.web.fragments import partial as fragment
from mission_control.web.regions import EVERY_PAGE, Concerns, Region, View
from mission_control.web.shell import Shell, ShellBoard, ShellOrganization, build_shell, signed_in


@build_shell
async def build(actor: Actor) -> Shell:
    seq = await head_of(actor.organization_id)
    organization = await Organization.get(id=actor.organization_id)
    work = await own_jobs(actor)
    others = [one for one in actor.memberships.values() if one.organization_id != organization.id]
    others.sort(key=lambda one: (one.organization_name.lower(), one.organization_id))
    return Shell(
        organization_name=organization.name,
        user_name=actor.name,
        user_initials=initials(actor.name),
        is_admin=actor.administers(actor.organization_id),
        is_demo=organization.is_demo,
        work_state=organization.work_state,
        work_state_reason=organization.work_state_reason,
        work_state_at=organization.work_state_at,
        organization_id=organization.id,
        other_organizations=[ShellOrganization(one.organization_id, one.organization_name) for one in others],
        boards=await _boards(actor),
        pending_count=await waiting_for(actor),
        unread_count=await unread_count(actor),
        online_count=await online_count(actor.organization_id),
        own_work=Markup(indicator(work)),
        ended_work=Markup(ended_work(work)),
        health=health_for(actor),
        seq=seq,
    )


async def waiting_for(actor: Actor) -> int:
    """Return the number of things that wait for a person, without those that they put off."""
    return (await waiting_in(actor.organization_id)).for_person(actor)


async def _boards(actor: Actor) -> list[ShellBoard]:
    return [ShellBoard(board.id, board.name) for board in await boards_of(actor)]


async def _waiting(view: View) -> str:
    organization_id = view.actor.organization_id
    waiting = await view.reads.get(("needs", organization_id), lambda: waiting_in(organization_id))
    return str(waiting.for_person(view.actor) or "")


async def _online(view: View) -> str:
    return str(await online_count(view.actor.organization_id))


async def _board_items(view: View) -> str:
    boards, may_create = await _boards(view.actor), can(view.actor, "board.create", view.actor.organization_id)
    return render_macro(
        "layouts/nav_live.html", "board_items", boards=boards, active=view.active, may_create=may_create
    )


async def _work_state(macro: str, view: View) -> str:
    organization = await Organization.get(id=view.actor.organization_id)
    is_admin = view.actor.administers(organization.id)
    return render_macro("layouts/work.html", macro, thing=organization, is_admin=is_admin)


def _organization(view: View) -> tuple[object, ...]:
    organization_id = view.actor.organization_id
    return organization_id, view.actor.administers(organization_id)


# The fields of a task by which something comes to wait for a person, or no longer does.
DECISIVE = tuple(f'"{name}"' for name in ("status", "due_at", "assigned_user_id", "assigned_agent_id", "flagged_at"))


def _is_decisive(_view: View, news: News) -> bool:
    """Return whether news may change what waits for people. Other changes of a task are many, and cost no look."""
    return not isinstance(news, Event) or news.kind != "task.updated" or any(name in news.data for name in DECISIVE)


NEEDS = NeedNews[View](about=_is_decisive)
AGENTS = Concerns[View](("agent.",), ("agent_id",))
STATE = Concerns[View](("organization.work_state_changed",))
BANNER, MENU = (partial(_work_state, f"organization_{name}") for name in ("banner", "menu"))
REGIONS = (
    Region(EVERY_PAGE, "[data-queue-count]", NEEDS, _waiting, swap="innerHTML"),
    Region(EVERY_PAGE, "[data-online-count]", AGENTS, _online, _organization, swap="innerHTML"),
    Region(EVERY_PAGE, "#organization-work", STATE, BANNER, _organization),
    Region(EVERY_PAGE, "#account-work", STATE, MENU, _organization),
    Region(EVERY_PAGE, "#more-work", STATE, MENU, _organization),
    HEALTH,
    Region(EVERY_PAGE, "#nav-boards", Concerns(("board.",)), _board_items),
)

pages = Blueprint("shell_pages", __name__)


@pages.get("/badge")
async def badge() -> str:
    """Say what needs the reader, for a tab that nobody looks at and that has no stream."""
    actor = await signed_in()
    items, unread = await find_notifications(actor, NotificationQuery(limit=1, offset=0, unread=True))
    waiting = await waiting_for(actor)
    newest = [{"id": str(one.id), "title": one.sentence, "place": one.board_name, "url": one.url} for one in items]
    found = {"build": build_of_assets(), "waiting": waiting, "unread": unread, "newest": newest[0] if newest else None}
    found["ended"] = newest_ended(await own_jobs(actor))
    said = Markup('<span data-badge="{}"></span>').format(to_json(found).decode())
    counts = (("queue", waiting), ("unread", unread))
    return "".join([*(fragment(f"[data-{name}-count]", str(n or ""), "innerHTML") for name, n in counts), said])
