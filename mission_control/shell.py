"""Fills the shell of every page, and keeps it live."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from quart import Quart, Response, current_app

from mission_control.accounts import setup
from mission_control.agents.queries import online_count
from mission_control.approvals.queries import pending_for
from mission_control.authn import freshness
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.live.broker import head_of
from mission_control.live.stream import Batch, page_stream
from mission_control.organizations.models import Organization
from mission_control.questions.queries import open_for
from mission_control.web.fragments import initials, partial, render_macro
from mission_control.web.shell import Shell, ShellBoard, providers

WORK = "layouts/work.html"


def install() -> None:
    """Register what surrounds every page."""
    providers.build = build
    providers.needs_setup = setup.comes_first


async def build(actor: Actor) -> Shell:
    """The shell for a person, in their active organization."""
    seq = await head_of(actor.organization_id)
    organization = await Organization.get(id=actor.organization_id)
    return Shell(
        organization_name=organization.name,
        user_name=actor.name,
        user_initials=initials(actor.name),
        is_admin=actor.administers(actor.organization_id),
        is_demo=organization.is_demo,
        work_state=organization.work_state,
        work_state_reason=organization.work_state_reason,
        work_state_at=organization.work_state_at,
        boards=await _boards(actor),
        pending_count=await waiting_for(actor),
        online_count=await online_count(actor.organization_id),
        seq=seq,
    )


async def waiting_for(actor: Actor) -> int:
    """How many approvals and questions wait for a person."""
    return await pending_for(actor) + await open_for(actor)


async def _boards(actor: Actor) -> list[ShellBoard]:
    return [ShellBoard(board.id, board.name) for board in await boards_of(actor)]


async def shell_partials(actor: Actor, active: str, batch: Batch | None = None) -> str:
    """The regions of the shell that a batch concerns (all of them without one), for any page's stream."""
    html = ""
    if _concerns(batch, "approval.", "question.", "board.", "task.deleted"):
        html += partial("[data-queue-count]", str(await waiting_for(actor) or ""), "innerHTML")
    if batch is None or batch.signals or _concerns(batch, "agent."):
        html += partial("[data-online-count]", str(await online_count(actor.organization_id)), "innerHTML")
    if _concerns(batch, "organization.work_state_changed"):
        html += await _work_partials(actor)
    if _concerns(batch, "board."):
        items = render_macro("layouts/nav_live.html", "board_items", boards=await _boards(actor), active=active)
        html += partial("#nav-boards", items)
    return html


async def _work_partials(actor: Actor) -> str:
    """That all agents are paused or stopped, and where an admin finds the buttons."""
    organization = await Organization.get(id=actor.organization_id)
    is_admin = actor.administers(organization.id)
    banner = render_macro(WORK, "organization_banner", thing=organization, is_admin=is_admin)
    html = partial("#organization-work", banner)
    menu = render_macro(WORK, "organization_menu", thing=organization, is_admin=is_admin)
    return html + partial("#account-work", menu) + partial("#more-work", menu)


def _concerns(batch: Batch | None, *kinds: str) -> bool:
    return batch is None or any(event.kind.startswith(kinds) for event in batch.events)


async def live_page(
    actor: Actor,
    active: str,
    render: Callable[[Actor, Batch], Awaitable[str]],
    reaches: Callable[[Actor], Awaitable[bool]] | None = None,
) -> Response:
    """The stream of a page: what `render` gives for a batch, and the shell around it.

    Everything is rendered with the rights that the reader has at that moment. The stream ends with the
    session, or when `reaches` says that the page is no longer theirs.
    """

    app: Quart = current_app._get_current_object()

    async def now() -> Actor | None:
        current = await freshness.fresh(actor)
        if current is None or actor.organization_id not in current.memberships:
            return None
        return replace(current, organization_id=actor.organization_id, surface="page")

    async def alive() -> bool:
        current = await now()
        return current is not None and (reaches is None or await reaches(current))

    async def fragments(batch: Batch) -> str:
        current = await now()
        if current is None:
            return ""
        async with app.app_context():  # a stream runs after its request, outside of every context
            return await render(current, batch) + await shell_partials(current, active, batch)

    return await page_stream(actor.organization_id, fragments, alive)
