"""The organization itself, as a page of the settings: name, work, leaving, deletion; and going to another one."""

from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.policy import can, require
from mission_control.organizations.forms import (
    DeleteOrganizationForm,
    NameForm,
    NewOrganizationForm,
)
from mission_control.organizations.models import Member, Organization
from mission_control.organizations.organization_view import consequences, heirs
from mission_control.organizations.queries import (
    OrganizationActiveUpdate,
    OrganizationOwnershipUpdate,
    active_organization,
    left_on_gateways,
)
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, FormInvalid, go
from mission_control.web.shell import SettingsPage, safe_next, settings_page, signed_in

pages = Blueprint("organization_pages", __name__)
GENERAL = "/settings/organization"
SETTINGS_PAGES = (
    SettingsPage("organization", "Organization", "General", GENERAL, "building-2", 110, "name rename leave delete"),
)
SAVED = {"name": "The name is changed.", "ownership": "The ownership is handed over. You are an admin now."}


@pages.get(GENERAL)
async def general() -> str:
    """Show the organization."""
    return await _general(await signed_in())


async def _general(actor: Actor, section: str = "", errors: dict[str, str] | None = None, **values: object) -> str:
    organization = await active_organization(actor)
    mine = actor.memberships[organization.id]
    owners = await Member.filter(organization_id=organization.id, role="owner").count()
    saved = request.args.get("saved", "") if request.method == "GET" else ""
    return await settings_page(
        actor,
        "organizations/general.html",
        "organization",
        organization=organization,
        values=NameForm.shown(organization) | values,
        section=section,
        errors=errors or {},
        saved=SAVED.get(saved, ""),
        role=mine.role,
        is_only_owner=mine.role == "owner" and owners == 1,
        heirs=await heirs(actor) if mine.role == "owner" else [],
        may_rename=can(actor, "organization.rename", organization),
        may_delete=can(actor, "organization.delete", organization),
    )


def _refused_in(section: str) -> Any:
    async def refused(refusal: Refusal[Organization, Any]) -> ResponseReturnValue:
        refusal.only()
        values = refusal.values if section == "name" else {}
        return await _general(refusal.actor, section, refusal.errors, **values)

    return refused


@action(pages, "POST", GENERAL, performs="update_my_org", form=NameForm, refused=_refused_in("name"))
async def rename(outcome: Outcome[Organization, NameForm]) -> ResponseReturnValue:
    """Rename the organization."""
    return go(f"{GENERAL}?saved=name")


@action(
    pages, "POST", f"{GENERAL}/ownership",
    performs="transfer_my_org", refused=_refused_in("ownership"),
)  # fmt: skip
async def hand_over(outcome: Outcome[Organization, OrganizationOwnershipUpdate]) -> ResponseReturnValue:
    """Make a member the owner."""
    return go(f"{GENERAL}?saved=ownership")


@action(pages, "POST", f"{GENERAL}/departures", performs="leave_my_org", refused=_refused_in("leave"))
async def leave(outcome: Outcome[Organization, None]) -> ResponseReturnValue:
    """Leave the organization."""
    return go("/")


@pages.get(f"{GENERAL}/deletion")
async def deletion() -> str:
    """Ask before the organization is deleted, with everything that goes with it."""
    actor = await signed_in()
    require(actor, "organization.delete", await active_organization(actor))
    return await _deletion(actor, {})


async def _deletion(actor: Actor, errors: dict[str, str]) -> str:
    return await settings_page(
        actor,
        "organizations/deletion.html",
        "organization",
        organization=await active_organization(actor),
        counts=await consequences(actor.organization_id),
        left=await left_on_gateways(actor.organization_id),
        errors=errors,
    )


async def _not_deleted(refusal: Refusal[Organization, DeleteOrganizationForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    return await _deletion(refusal.actor, refusal.errors)


@action(
    pages, "POST", f"{GENERAL}/deletion",
    performs="delete_my_org", form=DeleteOrganizationForm, refused=_not_deleted,
)  # fmt: skip
async def delete(outcome: Outcome[Organization, DeleteOrganizationForm]) -> ResponseReturnValue:
    """Delete the organization with everything in it."""
    return go("/")


@pages.get("/organizations/new")
async def new() -> str:
    """Ask for the name of a new organization."""
    return await _new(await signed_in(), {}, {})


async def _new(actor: Actor, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(actor, "organizations/new.html", "organization", values=values, errors=errors)


async def _not_founded(refusal: Refusal[None, NewOrganizationForm]) -> ResponseReturnValue:
    refusal.only()
    errors = {"name": refusal.sentence}
    return await _new(refusal.actor, refusal.values, errors)


@action(
    pages, "POST", "/organizations",
    performs="create_organization", form=NewOrganizationForm, refused=_not_founded,
)  # fmt: skip
async def found(outcome: Outcome[None, NewOrganizationForm]) -> ResponseReturnValue:
    """Make an organization and go on to it."""
    return go("/boards")


@action(pages, "POST", "/organizations/active", performs="set_active_org")
async def switch(outcome: Outcome[None, OrganizationActiveUpdate]) -> ResponseReturnValue:
    """Work in another organization."""
    return go(safe_next(request.args.get("next")))
