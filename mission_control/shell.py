"""Fills the shell of every page, and keeps it live."""

from mission_control.accounts import setup
from mission_control.agents.queries import online_count
from mission_control.approvals.queries import pending_for
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor
from mission_control.live.broker import head_of
from mission_control.organizations.models import Organization
from mission_control.web.fragments import initials, partial, render_macro
from mission_control.web.shell import Shell, ShellBoard, providers


def install() -> None:
    """Register what surrounds every page."""
    providers.build = build
    providers.needs_setup = setup.is_open


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
        boards=[ShellBoard(board.id, board.name) for board in await boards_of(actor)],
        pending_count=await pending_for(actor),
        online_count=await online_count(actor.organization_id),
        seq=seq,
    )


async def shell_partials(actor: Actor, active: str) -> str:
    """The regions of the shell that change while a page is open, for any page's stream."""
    shell = await build(actor)
    shell.active = active
    regions = {"#nav-approvals": "approvals_item", "#nav-boards": "board_items", "#nav-online": "online_item"}
    return "".join(
        partial(target, render_macro("layouts/nav_live.html", macro, shell=shell), "innerMorph")
        for target, macro in regions.items()
    )
